/** pcscd's configuration with the virtual readers (reader.conf(5)). */
export const virtualReadersPath: string;
export const pcscdArguments: readonly string[];
