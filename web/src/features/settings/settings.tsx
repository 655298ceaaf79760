import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import type { SETTINGS_TABS } from "@/app/router";
import { chooseTheme, useThemeChoice } from "@/app/theme";
import { ApiKeySettings } from "@/components/integration";
import { PageHead } from "@/components/ui/card";
import { Segments, Tabs } from "@/components/ui/tabs";
import { Currencies } from "./currencies";
import { Erasure } from "./erasure";
import { NotificationSettings } from "./notifications";
import { People } from "./people";
import { ProfileSettings } from "./profile";

const route = getRouteApi("/settings");

type Tab = (typeof SETTINGS_TABS)[number];

const TABS: { id: Tab; name: string; content: () => ReactNode }[] = [
  { id: "keys", name: "Keys", content: () => <ApiKeySettings /> },
  { id: "profile", name: "Profile", content: () => <ProfileSettings /> },
  { id: "people", name: "Members and invitations", content: () => <People /> },
  { id: "currencies", name: "Currencies", content: () => <Currencies /> },
  { id: "notifications", name: "Notifications", content: () => <NotificationSettings /> },
  { id: "erasure", name: "Erasure", content: () => <Erasure /> },
];

export function Settings() {
  const theme = useThemeChoice();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const session = useSession();
  const administrates = session.state === "in" && isAdministrator(session.user);
  return (
    <div className="mx-auto max-w-4xl">
      <PageHead title="Settings" hint="Of your account and of your projects' members.">
        <Segments
          label="Theme"
          value={theme}
          onChange={chooseTheme}
          choices={[
            { value: "light", name: "Light" },
            { value: "dark", name: "Dark" },
            { value: "system", name: "As the system" },
          ]}
        />
      </PageHead>
      <Tabs
        label="Parts of the settings"
        tabs={TABS.filter(({ id }) => id !== "erasure" || administrates || tab === id)}
        value={tab ?? "keys"}
        onChange={(id) => void navigate({ search: { tab: id === "keys" ? undefined : (id as Tab) } })}
      />
    </div>
  );
}
