import {
  Bell,
  CalendarCheck,
  ChartColumnStacked,
  FolderKanban,
  Gauge,
  LayoutDashboard,
  type LucideIcon,
  Plug,
  ReceiptText,
  ScrollText,
  Settings,
  Tag,
  Webhook,
} from "lucide-react";
import type { User } from "@/api/session";

export type Place = { to: string; name: string; key: string; icon: LucideIcon; administrators?: boolean };

const GROUPS: readonly { name: string; places: readonly Place[] }[] = [
  {
    name: "Costs",
    places: [
      { to: "/", name: "Overview", key: "o", icon: LayoutDashboard },
      { to: "/explorer", name: "Explorer", key: "e", icon: ChartColumnStacked },
      { to: "/records", name: "Records", key: "r", icon: ReceiptText },
      { to: "/close", name: "Month close", key: "c", icon: CalendarCheck },
    ],
  },
  {
    name: "Control",
    places: [
      { to: "/projects", name: "Projects", key: "p", icon: FolderKanban },
      { to: "/budgets", name: "Budgets", key: "b", icon: Gauge },
      { to: "/alerts", name: "Alerts", key: "a", icon: Bell },
      { to: "/prices", name: "Models and prices", key: "m", icon: Tag },
    ],
  },
  {
    name: "Set-up",
    places: [
      { to: "/integration", name: "Integration", key: "i", icon: Plug },
      { to: "/webhooks", name: "Webhooks", key: "w", icon: Webhook },
      { to: "/audit", name: "Audit log", key: "l", icon: ScrollText, administrators: true },
      { to: "/settings", name: "Settings", key: "s", icon: Settings },
    ],
  },
];

export const isAdministrator = ({ role }: User): boolean => role === "owner" || role === "admin";

/** Whoever was invited to look has no calls, projects or corrections of their own. */
export const mayRecord = ({ role }: User): boolean => role !== "viewer";

/** The pages that a person can use, as the navigation shows them. */
export const placeGroups = (user: User) =>
  GROUPS.map(({ name, places }) => ({
    name,
    places: places.filter(({ administrators }) => !administrators || isAdministrator(user)),
  }));

export const placesFor = (user: User): Place[] => placeGroups(user).flatMap(({ places }) => places);

/** The place of an address; pages below one belong to it. */
export const placeOf = (path: string): Place | undefined =>
  GROUPS.flatMap(({ places }) => places).find(({ to }) =>
    to === "/" ? path === "/" : `${path}/`.startsWith(`${to}/`),
  );
