/** The heading of a release in CHANGELOG.md. */

/**
 * Puts a heading with the version and the day above the unreleased changes.
 * @param day such as 2027-01-31
 * @returns the text unchanged if the version has its heading
 * @throws Error without unreleased changes
 */
export function dateChanges(changelog: string, version: string, day: string): string {
  if (changelog.includes(`\n## ${version} (`)) return changelog;
  const sections = changelog.split(/^## /m).map((section) => section.trim());
  if (!sections.some((section) => /^Unreleased\n/.test(section)))
    throw new Error('CHANGELOG.md has no changes below "## Unreleased".');
  return changelog.replace(/^## Unreleased\n/m, `$&\n## ${version} (${day})\n`);
}
