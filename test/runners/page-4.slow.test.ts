import { runGroup } from '../page/groups.ts';

await runGroup(3);
