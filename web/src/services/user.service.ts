import { api, dataOf, type Schemas } from "@/api/client";

export type ProviderKey = Schemas["ProviderKeyView"];
export type TrackerKey = Schemas["TrackerKeyView"];
export type NewTrackerKey = Schemas["NewTrackerKeyView"];
export type Profile = Schemas["Profile"];
export type Scope = Schemas["Scope"];

/** One's own account: provider keys (masked), tracker keys, profile. */
export const userService = {
  getApiKeys: (): Promise<ProviderKey[]> => dataOf(api.GET("/api/user/api-keys")),

  addApiKey: (service: string, key: string): Promise<ProviderKey> =>
    dataOf(api.POST("/api/user/api-keys", { body: { service, key } })),

  removeApiKey: async (service: string): Promise<void> => {
    await dataOf(api.DELETE("/api/user/api-keys/{service}", { params: { path: { service } } }));
  },

  getTrackerKeys: (): Promise<TrackerKey[]> => dataOf(api.GET("/api/user/dashboard-api-keys")),

  createTrackerKey: (key: Schemas["TrackerKeyChange"]): Promise<NewTrackerKey> =>
    dataOf(api.POST("/api/user/dashboard-api-keys", { body: key })),

  updateTrackerKey: (keyId: string, change: Schemas["TrackerKeyChange"]): Promise<TrackerKey> =>
    dataOf(api.PATCH("/api/user/dashboard-api-keys/{keyId}", { params: { path: { keyId } }, body: change })),

  deleteTrackerKey: async (keyId: string): Promise<void> => {
    await dataOf(api.DELETE("/api/user/dashboard-api-keys/{keyId}", { params: { path: { keyId } } }));
  },

  getProfile: (): Promise<Profile> => dataOf(api.GET("/api/user/profile")),

  updateProfile: (change: Schemas["ProfileChange"]): Promise<Profile> =>
    dataOf(api.PUT("/api/user/profile", { body: change })),

  changePassword: async (currentPassword: string, newPassword: string): Promise<void> => {
    await dataOf(api.POST("/api/auth/change-password", { body: { currentPassword, newPassword } }));
  },
};
