import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first, so that none of them runs alone at the end. Two that start many workers are not neighbours: each worker takes 200 MB. */
const LONGEST = [
  'test/crash/every-verb.test.ts',
  'test/scenarios/simulation.test.ts',
  'test/scenarios/test-clock-long.test.ts',
  'test/start/start.test.ts',
  'test/crash/crash-points.test.ts',
  'test/scenarios/test-clock.test.ts',
  'test/api/bad-input/every-route.test.ts',
  'test/crash/servers-killed.test.ts',
  'test/scenarios/demo.test.ts',
  'test/crash/advance-killed.test.ts',
  'test/scenarios/draft-window.test.ts',
  'test/scenarios/pause.test.ts',
  'test/scenarios/test-clock-real-time.test.ts',
  'test/workflows/real-time.test.ts',
  'test/scenarios/trials.test.ts',
  'test/scenarios/consolidated-invoices.test.ts',
  'test/scenarios/continue-as-new.test.ts',
];

/** What needs servers comes first, because nothing of it is short; the rest fills what is left. A new clone does not know from runs before what takes long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId, project }: TestSpecification): number {
  if (project.name !== 'servers') return LONGEST.length + 1;
  const place = LONGEST.indexOf(relative(project.config.root, moduleId).replaceAll('\\', '/'));
  return place === -1 ? LONGEST.length : place;
}
