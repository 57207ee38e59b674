/** One line of the table that `npm run bench` prints. */
export interface MeasurementRow {
  readonly what: string;
  readonly measured: string;
  /** The same work by hand or by the rival, in the same run. */
  readonly byHand?: string;
  readonly target?: string;
  readonly met?: boolean;
}
