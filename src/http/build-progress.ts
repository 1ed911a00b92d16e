import { formatInstant } from '../domain/instant.ts';
import type { Engine } from '../ingest/engine.ts';
import { progressOf } from '../ingest/keep-building.ts';
import type { Build } from '../store/builds.ts';

/** How far the build is, as `BuildProgress`: before it has begun, at 0 of as many customers as are not counted yet. */
export function showProgress({ now, versions }: Pick<Engine, 'now' | 'versions'>, build: Build | undefined) {
  if (build?.models_revision !== versions.models_revision)
    return { share: 0, customers_done: 0, customers_total: null, expected_at: null };
  const { share, expected_at } = progressOf(build, now());
  const { customers_done, customers_total } = build;
  return {
    share,
    customers_done,
    customers_total,
    expected_at: expected_at === null ? null : formatInstant(expected_at),
  };
}
