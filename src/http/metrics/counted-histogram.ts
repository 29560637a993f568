/** A histogram whose buckets are counted elsewhere: prom-client's own can only observe one value after another. */
import { Histogram, type LabelValues, type Registry } from 'prom-client';

/** Counts of one combination of labels. */
export interface Buckets {
  readonly labels: LabelValues<string>;
  /** Number of values in each bucket, and at the end above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

interface Config {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets. */
  readonly bounds: readonly number[];
}

export class CountedHistogram extends Histogram {
  readonly #config: Config;
  readonly #read: () => Iterable<Buckets>;

  /** @param read called on every scrape */
  constructor(config: Config, registry: Registry, read: () => Iterable<Buckets>) {
    super({ name: config.name, help: config.help, registers: [registry] });
    this.#config = config;
    this.#read = read;
  }

  /** Overrides the method of prom-client's histogram that the registry calls. */
  async getForPromString() {
    const values = Array.from(this.#read(), (buckets) => this.#samples(buckets)).flat();
    return { name: this.#config.name, help: this.#config.help, type: 'histogram', values };
  }

  #samples({ labels, counts, sum }: Buckets) {
    const { name, bounds } = this.#config;
    let count = 0;
    const buckets = counts.map((inBucket, b) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[b] ?? '+Inf' }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
