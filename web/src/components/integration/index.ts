export { ApiKeyIntegration } from "./api-key-integration";
export { ApiKeySettings } from "./api-key-settings";
export { IntegrationDashboard } from "./integration-dashboard";
export { ProjectIdGuide } from "./project-id-guide";
