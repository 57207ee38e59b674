/** Searches an app that runs for the secrets of a test: its processes' memory, arguments and environments, its files and output. */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { expect } from '@playwright/test';
import { searchArguments, searchFiles, markersIn, type Marker } from '../fixtures/markers.ts';
import { testExecutable, type LaunchedApp } from './launch/launch-app.ts';
import { processTree, searchMemory } from './process-memory.ts';

const readCommandLine = async (id: number): Promise<string> =>
  (await readFile(`/proc/${String(id)}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');

/** The parent's id and the session's, from what follows the name in brackets, which may hold anything. */
async function readKinship(id: number | string): Promise<{ readonly parent: number; readonly session: number }> {
  const stat = await readFile(`/proc/${String(id)}/stat`, 'utf8').catch(() => '');
  const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(parent ?? 0), session: Number(session ?? 0) };
}

/** This test and what drives it, by their ids: they typed the secrets. */
async function driversOf(): Promise<ReadonlySet<number>> {
  const drivers = new Set<number>();
  for (let id = process.pid; id > 1; id = (await readKinship(id)).parent) drivers.add(id);
  return drivers;
}

/** Processes of the app that no longer descend from it, and others of the test's session: display, D-Bus. */
async function processesBeside(tree: readonly number[]): Promise<readonly number[]> {
  const { session } = await readKinship('self');
  const beside: number[] = [];
  for (const entry of await readdir('/proc')) {
    const id = Number(entry);
    if (!Number.isInteger(id) || tree.includes(id)) continue;
    const executable = await readlink(`/proc/${entry}/exe`).catch(() => '');
    if (executable === testExecutable || (await readKinship(id)).session === session) beside.push(id);
  }
  return beside;
}

async function mainRendererId(app: LaunchedApp): Promise<number> {
  const ids = await app.inMain(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows().map(({ webContents }) => ({
      isMain: webContents.getURL().startsWith('app://main'),
      id: webContents.getOSProcessId(),
    })),
  );
  const [main, ...more] = ids.filter(({ isMain }) => isMain);
  if (main === undefined || more.length > 0) throw new Error('There is not one main window.');
  // The prompt window has a process of its own, which is ended with it.
  expect(ids.filter(({ id }) => id === main.id)).toHaveLength(1);
  return main.id;
}

/**
 * The main window and the main process only relay what is sealed: a secret is in neither, even while it is used.
 * @param known what both are known to hold: where the search does not find it, it would find no secret either
 */
export async function expectNotRelayedInClear(
  app: LaunchedApp,
  markers: readonly Marker[],
  known: string,
): Promise<void> {
  for (const [name, id] of [
    ['main window', await mainRendererId(app)],
    ['main', app.mainProcessId],
  ] as const) {
    const search = await searchMemory(id, [...markers.map(({ forms }) => forms), known]);
    expect(search.bytesRead).toBeGreaterThan(1024 * 1024);
    expect(search.counts.at(-1), `the label in the memory of ${name}`).toBeGreaterThan(0);
    const found = markers.filter((_marker, index) => (search.counts[index] ?? 0) > 0).map((marker) => marker.name);
    expect(found, `memory of ${name}`).toEqual([]);
  }
}

/** What of the markers is in the memory of the app's processes and of those beside it. */
async function searchProcesses(
  app: LaunchedApp,
  markers: readonly Marker[],
  leftOut: readonly number[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const drivers = await driversOf();
  const tree = await processTree(app.mainProcessId);
  for (const id of [...tree, ...(await processesBeside(tree))]) {
    if (drivers.has(id) || leftOut.includes(id)) continue;
    const name = (await readCommandLine(id)).slice(0, 160);
    const memory = await searchMemory(
      id,
      markers.map(({ forms }) => forms),
    ).catch(() => undefined);
    // The sandbox's own helpers may not be looked into; they forked before anything was typed. Gone means nothing left.
    const isHelper = name.includes('--type=zygote') || name.includes('chrome-sandbox') || name.trim() === '';
    if ((memory === undefined || memory.bytesRead === 0) && tree.includes(id) && !isHelper)
      found.push(`not searched: ${name}`);
    for (const [index, marker] of markers.entries())
      if ((memory?.counts[index] ?? 0) > 0) found.push(`${marker.name} in the memory of ${name}`);
  }
  return found;
}

/**
 * Every process of the app and beside it, the arguments and environment of every process, and every file of the home.
 * @param options.output what the app wrote to its standard output and error
 * @param options.leftOut ids of processes that hold secrets by nature, such as the card's own
 * @param options.known what the files are known to hold
 */
export async function expectNowhere(
  app: LaunchedApp,
  markers: readonly Marker[],
  options: { readonly output: string; readonly leftOut: readonly number[]; readonly known: Marker },
): Promise<void> {
  expect(await searchProcesses(app, markers, options.leftOut)).toEqual([]);
  expect(await searchArguments(markers)).toEqual([]);
  expect(markersIn(options.output, markers)).toEqual([]);
  expect((await searchFiles(app.home.directory, markers)).found).toEqual([]);
  expect((await searchFiles(app.home.directory, [options.known])).found).not.toEqual([]);
}

/** Ids of the processes that this test started with such words among their arguments. */
export async function findOwnChildren(words: string): Promise<readonly number[]> {
  const ids: number[] = [];
  for (const id of await processTree(process.pid)) if ((await readCommandLine(id)).includes(words)) ids.push(id);
  return ids;
}
