/** The screen of a route. All but the first are loaded when one of them is visited. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { SKELETON_AFTER_MS } from './api/use-resource.ts';
import { ProblemBox } from './components/feedback/problem-box.tsx';
import { Skeleton } from './components/feedback/skeleton.tsx';
import { Screen } from './components/screen.tsx';
import { loadScreens, type Screens, screens, screensProblem } from './load-screens.ts';
import type { Route } from './router.ts';
import { Train } from './screens/train/train.tsx';
import { Unknown } from './screens/unknown.tsx';
import { reconnections } from './state/connection.ts';

export function CurrentScreen({ route }: { readonly route: Route }): JSX.Element {
  if (route.screen === 'train') return <Train />;
  if (route.screen === 'unknown') return <Unknown />;
  return screens.value === null ? <LoadingScreen /> : loadedScreen(screens.value, route);
}

type LoadedRoute = Exclude<Route, { readonly screen: 'train' | 'unknown' }>;

function loadedScreen(
  { Check, Compare, Data, Dataset, Job, Jobs, Model, ModelVersion, Models, Search, Try }: Screens,
  route: LoadedRoute,
): JSX.Element {
  switch (route.screen) {
    case 'jobs':
      return <Jobs />;
    case 'job':
      return <Job id={route.id} />;
    case 'compare':
      return <Compare />;
    case 'search':
      return <Search id={route.id} />;
    case 'models':
      return <Models />;
    case 'model':
      return <Model name={route.name} />;
    case 'model-version':
      return <ModelVersion name={route.name} version={route.version} />;
    case 'try':
      return <Try />;
    case 'check':
      return <Check />;
    case 'data':
      return <Data />;
    case 'dataset':
      return <Dataset id={route.id} />;
  }
}

/** Nothing for 150 ms, then a skeleton; the problem if loading failed. Loads again when the service is back. */
function LoadingScreen(): JSX.Element {
  const [isSlow, setSlow] = useState(false);
  const reconnection = reconnections.value;
  useEffect(() => void loadScreens(), [reconnection]);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const problem = screensProblem.value;
  if (problem === null) return <div class="pending">{isSlow && <Skeleton lines={12} />}</div>;
  const retry = () => (problem.code === 'page-outdated' ? location.reload() : void loadScreens());
  return (
    <Screen title={problem.title} hasCurl={false}>
      <ProblemBox problem={problem} onRetry={retry} />
    </Screen>
  );
}
