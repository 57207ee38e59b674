/** States in words. */

export const states = {
  vault: {
    looking: 'Looking',
    unreachable: 'Unreachable',
    uninitialized: 'Not initialised',
    sealed: 'Sealed',
    unsealed: 'Unsealed',
  },
  run: {
    open: 'Open',
    completed: 'Completed',
    abandoned: 'Abandoned',
    working: 'Working',
    waiting: 'Waits for you',
    failed: 'Stopped by a failure',
  },
  step: {
    waiting: 'To come',
    current: 'Now',
    working: 'Working',
    done: 'Done',
    'not-needed': 'Not needed',
    failed: 'Failed',
  },
  store: { looking: 'Looking', ready: 'Ready', failed: 'Cannot be used' },
  role: { administrator: 'Administrator', custodian: 'Custodian', witness: 'Witness' },
  pinUnset: 'No PIN yet',
  pin: { ok: 'PIN set', 'count-low': 'Wrong PIN was tried', 'final-try': 'One PIN try left', locked: 'PIN locked' },
  soPin: {
    ok: 'In order',
    'count-low': 'Wrong SO-PIN was tried',
    'final-try': 'One SO-PIN try left',
    locked: 'SO-PIN locked',
  },
} as const;
