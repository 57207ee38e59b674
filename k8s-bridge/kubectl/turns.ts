/**
 * Lets at most so many tasks run at once; the others wait, first come first served.
 * @returns a function that carries out a task once it is its turn
 */
export function createTurns(most: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      // The place goes over to who waits.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
