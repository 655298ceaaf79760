import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { Compass, LogOut, type LucideIcon, Menu as MenuIcon, Monitor, Moon, Search, Sun, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { api } from "@/api/client";
import { unreadAlerts } from "@/api/queries";
import { signedOut, type User } from "@/api/session";
import { Button, buttonClasses } from "@/components/ui/button";
import { Menu, MenuItem, MenuLabel } from "@/components/ui/menu";
import { classes } from "@/lib/classes";
import { useKeyboard } from "./keyboard";
import { OldNotice } from "./old-notice";
import { placeGroups, placeOf } from "./places";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "./theme";

const CommandPalette = lazy(() => import("./command-palette"));

export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const [palette, setPalette] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useKeyboard(user, () => setPalette(true));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of page closes the drawer
  useEffect(() => setDrawer(false), [path]);
  useEffect(() => {
    const place = placeOf(path);
    document.title = place ? `${place.name} · AI Cost Tracker` : "AI Cost Tracker";
  }, [path]);
  const navigation = <Navigation onSearch={() => setPalette(true)} user={user} />;
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-surface px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <div className="sticky top-0 hidden h-dvh w-56 shrink-0 border-r bg-surface lg:block">{navigation}</div>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-30 flex items-center gap-2 border-b bg-surface px-3 py-2 lg:hidden">
          <Dialog.Root open={drawer} onOpenChange={setDrawer}>
            <Dialog.Trigger aria-label="Menu" className={buttonClasses("quiet", "icon")}>
              <MenuIcon />
            </Dialog.Trigger>
            <Dialog.Portal>
              <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
              <Dialog.Content className="fixed inset-y-0 left-0 z-50 w-64 border-r bg-surface outline-none">
                <Dialog.Title className="sr-only">Menu</Dialog.Title>
                <Dialog.Description className="sr-only">Pages of the dashboard</Dialog.Description>
                <Dialog.Close
                  aria-label="Close the menu"
                  className={classes(buttonClasses("quiet", "small-icon"), "absolute top-3 right-3")}
                >
                  <X />
                </Dialog.Close>
                {navigation}
              </Dialog.Content>
            </Dialog.Portal>
          </Dialog.Root>
          <Brand />
          <Button
            look="quiet"
            size="icon"
            aria-label="Search and commands"
            className="ml-auto"
            onClick={() => setPalette(true)}
          >
            <Search />
          </Button>
        </header>
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[1400px] min-w-0 flex-1 px-3 py-5 outline-none sm:px-6 lg:px-8"
        >
          <OldNotice />
          {children}
        </main>
      </div>
      {palette && (
        <Suspense>
          <CommandPalette user={user} onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}

export function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 font-semibold tracking-tight">
      <img src="/icon.svg" alt="" className="size-6" />
      AI Cost Tracker
    </Link>
  );
}

function Navigation({ onSearch, user }: { onSearch: () => void; user: User }) {
  return (
    <nav aria-label="Main" className="flex h-full flex-col gap-1 p-3">
      <div className="px-2 pt-1 pb-3">
        <Brand />
      </div>
      <button
        type="button"
        onClick={onSearch}
        className="mb-2 flex h-9 items-center gap-2 rounded-lg border bg-bg px-2.5 text-muted hover:text-ink"
      >
        <Search className="size-4" />
        <span className="flex-1 text-left">Search</span>
        <kbd className="rounded border bg-surface px-1.5 font-sans text-xs">/</kbd>
      </button>
      <div className="-mx-1 flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto px-1 py-0.5">
        {placeGroups(user).map(({ name: group, places }) => (
          <ul key={group} aria-label={group} className="flex flex-col gap-0.5">
            {places.map(({ to, name, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  className="flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 font-medium text-muted hover:bg-sunken hover:text-ink"
                  activeProps={{ className: "bg-accent-soft text-accent-text! hover:bg-accent-soft" }}
                >
                  <Icon aria-hidden="true" className="size-4" />
                  {name}
                  {to === "/alerts" && <Unread />}
                </Link>
              </li>
            ))}
          </ul>
        ))}
      </div>
      <div className="flex flex-col gap-0.5 border-t pt-2">
        <a
          href="/docs/api"
          className="flex items-center gap-2.5 rounded-lg px-2.5 py-2 font-medium text-muted hover:bg-sunken hover:text-ink"
        >
          <Compass className="size-4" />
          API reference
        </a>
        <AccountMenu user={user} />
      </div>
    </nav>
  );
}

/** How many alerts are new. */
function Unread() {
  const { data: count = 0 } = useQuery(unreadAlerts());
  if (count === 0) return null;
  return (
    <span className="nums ml-auto rounded-full bg-bad px-1.5 text-xs leading-5 font-semibold text-surface">
      {count > 99 ? "99+" : count}
      <span className="sr-only"> unread</span>
    </span>
  );
}

const THEMES: { choice: ThemeChoice; name: string; icon: LucideIcon }[] = [
  { choice: "light", name: "Light", icon: Sun },
  { choice: "dark", name: "Dark", icon: Moon },
  { choice: "system", name: "As the system", icon: Monitor },
];

function AccountMenu({ user }: { user: User }) {
  const theme = useThemeChoice();
  const logOut = async () => {
    await api.POST("/api/auth/logout", { body: null }).catch(() => undefined);
    signedOut();
  };
  const trigger = (
    <button type="button" className="flex items-center gap-2.5 rounded-lg px-2 py-2 text-left hover:bg-sunken">
      <span
        aria-hidden="true"
        className="grid size-7 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text uppercase"
      >
        {user.name.slice(0, 1)}
      </span>
      <span className="min-w-0">
        <span className="block truncate font-medium">{user.name}</span>
        <span className="block truncate text-xs text-muted">{user.email}</span>
      </span>
    </button>
  );
  return (
    <Menu trigger={trigger} align="start">
      <MenuLabel>Theme</MenuLabel>
      {THEMES.map(({ choice, name, icon: Icon }) => (
        <MenuItem key={choice} icon={<Icon />} checked={theme === choice} onSelect={() => chooseTheme(choice)}>
          {name}
        </MenuItem>
      ))}
      <MenuLabel>{`Role: ${user.role}`}</MenuLabel>
      <MenuItem icon={<LogOut />} onSelect={() => void logOut()}>
        Log out
      </MenuItem>
    </Menu>
  );
}
