import { type Position, UNKNOWN } from './compile-model.ts';

/** Where a customer stands in some model versions, ascending, as one text: `1:14 2:9` is version and position. Equal standings give equal texts. */
export function writeStanding(modelVersions: readonly number[], positions: readonly Position[]): string {
  return modelVersions.map((version, index) => `${version}:${positions[index]}`).join(' ');
}

/** The position in a model version that a text of `writeStanding` names; `UNKNOWN` if it names none. */
export function positionIn(standing: string, modelVersion: number): Position {
  const start = `${modelVersion}:`;
  const place = standing.split(' ').find((one) => one.startsWith(start));
  return place === undefined ? UNKNOWN : Number(place.slice(start.length));
}
