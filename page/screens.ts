/** The screens of page-screens.js and all that draws charts, loaded after page.js. */
import './main.tsx'; // The bundler then leaves all that both files need in page.js.

declare const BUILD: string;

export { Check } from './screens/check/check.tsx';
export { Compare } from './screens/compare/compare.tsx';
export { Data } from './screens/data/data.tsx';
export { Dataset } from './screens/data/dataset.tsx';
export { Job } from './screens/job/job.tsx';
export { Jobs } from './screens/jobs/jobs.tsx';
export { ModelVersion } from './screens/model-version/model-version.tsx';
export { Model } from './screens/models/model.tsx';
export { Models } from './screens/models/models.tsx';
export { Search } from './screens/search/search.tsx';
export { StarterCurve } from './screens/train/starter-curve.tsx';
export { Try } from './screens/try/try.tsx';
export const BUILD_OF_SCREENS = BUILD;
