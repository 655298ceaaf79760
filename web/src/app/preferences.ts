import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { profile } from "@/api/queries";
import { userService } from "@/services/user.service";

export type SavedView = { name: string; url: string };
export type Preferences = { timeZone?: string; savedViews: SavedView[] };

/** What is kept of the account's settings; whatever else is in there stays. */
export function readPreferences(kept: unknown): Preferences {
  const { timeZone, savedViews } = (kept ?? {}) as Record<string, unknown>;
  const views = Array.isArray(savedViews) ? savedViews : [];
  return {
    ...(typeof timeZone === "string" && isTimeZone(timeZone) ? { timeZone } : {}),
    savedViews: views.filter(
      (view): view is SavedView =>
        typeof view?.name === "string" && typeof view?.url === "string" && /^\/(?!\/)/.test(view.url),
    ),
  };
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export function usePreferences(): Preferences {
  const { data } = useQuery(profile());
  return readPreferences(data?.preferences);
}

export function useChangePreferences() {
  const client = useQueryClient();
  return useMutation({
    async mutationFn(change: Partial<Preferences>) {
      // The newest ones are the base, so that a change in another tab is not undone.
      const { preferences } = await userService.getProfile();
      return userService.updateProfile({ preferences: { ...preferences, ...change } as Record<string, never> });
    },
    onSuccess: (changed) => client.setQueryData(profile().queryKey, changed),
  });
}

/** The zone whose days count: the link's, the person's, else UTC. */
export function useTimeZone(fromUrl?: string): string {
  const { timeZone } = usePreferences();
  return fromUrl && isTimeZone(fromUrl) ? fromUrl : (timeZone ?? "UTC");
}
