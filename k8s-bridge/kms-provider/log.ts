/** One line of JSON an event, on standard error: journald and the kubelet keep it. */

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean>>;
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

export function createLog(write: (line: string) => void, withDebug: boolean): Log {
  return (level, message, fields = {}) => {
    if (level === 'debug' && !withDebug) return;
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
  };
}
