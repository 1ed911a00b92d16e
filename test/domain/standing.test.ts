import t from 'tap';
import { positionIn, writeStanding } from '../../src/domain/standing.ts';

t.test('a standing names model versions with their positions', async (t) => {
  t.equal(writeStanding([1, 2, 13], [14, 0, 9]), '1:14 2:0 13:9');
  t.equal(writeStanding([], []), '');
});

t.test('the position is that of the version asked for, and unknown if the standing does not name it', async (t) => {
  for (const [version, position] of [
    [1, 14],
    [2, 0],
    [13, 9],
    [3, 0],
    [11, 0],
  ] as const)
    t.equal(positionIn('1:14 2:0 13:9', version), position, `version ${version}`);
  t.equal(positionIn('', 1), 0);
});
