import { applying } from './scenarios/apply.ts';
import { creation } from './scenarios/creation.ts';
import { deletion } from './scenarios/deletion.ts';
import { garbage } from './scenarios/garbage.ts';
import { informers } from './scenarios/informers.ts';
import { metadata } from './scenarios/metadata.ts';
import { paging } from './scenarios/paging.ts';
import { patches } from './scenarios/patches.ts';
import { selectors } from './scenarios/selectors.ts';
import { status } from './scenarios/status.ts';
import { versions } from './scenarios/versions.ts';
import { watches } from './scenarios/watches.ts';
import { webhooks } from './scenarios/webhooks.ts';
import type { Scenario } from './stage.ts';

/** All scenarios, by theme; each theme has its file of transcripts. */
export const suite: Record<string, Scenario[]> = {
  versions,
  creation,
  metadata,
  deletion,
  garbage,
  selectors,
  paging,
  watches,
  patches,
  apply: applying,
  status,
  webhooks,
  informers,
};
