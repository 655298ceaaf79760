declare module "guide:keys.ts" {
  export const apiKeys: import("@/services/user.service").ProviderKey[];
}
declare module "guide:projects.ts" {
  export const projects: import("@/services/project.service").Project[];
  export const analytics: import("@/services/project.service").Analytics;
}
declare module "guide:components.tsx" {
  export const Shown: () => import("react").ReactNode;
}
