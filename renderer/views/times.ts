const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const timeOnly = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Local day and time of an ISO 8601 instant; '' stays ''. */
export function formatTime(instant: string): string {
  const time = new Date(instant);
  return Number.isNaN(time.getTime()) ? instant : dayAndTime.format(time);
}

/** Local time with seconds. */
export function formatClock(instant: string): string {
  const time = new Date(instant);
  return Number.isNaN(time.getTime()) ? instant : timeOnly.format(time);
}
