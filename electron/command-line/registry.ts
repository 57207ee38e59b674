import type { Locations } from './locations.ts';
import type { CommandOutcome } from './outcome.ts';

/** What a command is given: where things lie, and where to leave its outcome. */
export interface Registry {
  readonly locations: Locations;
  readonly settle: (outcome: CommandOutcome) => void;
}
