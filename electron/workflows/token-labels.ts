/** Labels of tokens as a PKCS#11 library shows them, and as they were given. */

/** A device's own label: OpenSC before 0.26 adds the name of the PIN, and cuts the label where both are too long. */
export const ownLabel = (label: string): string => label.replace(/ \(UserPIN\)$/u, '');

/** Whether a PKCS#11 library's label for a token is this one. */
export const isLabelOf = (shown: string, label: string): boolean =>
  shown === label || (shown !== ownLabel(shown) && label.startsWith(ownLabel(shown)));
