using System.Text.Json.Nodes;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Which model answers the built-in agents where no agent is meant: the first service that the operator or the organization has a key for.
/// </summary>
internal sealed class HelperModels(ServiceRegistry services, StoredKeys keys)
{
    private static readonly string[] Order =
        ["openai", "anthropic", "gemini", "mistral", "groq", "grok", "open_router", "deepseek", "moonshot", "ai_ml", "neev_cloud"];

    /// <summary>A direct run; null where there is no key.</summary>
    public JsonObject? Find(Guid organizationId)
    {
        foreach (var service in Order.Select(services.Find).OfType<ProviderService>().Where(service => service.DefaultModel is not null))
        {
            var own = service.HasOperatorKey || service.Kind is null
                || ProviderKind.Find(service.Kind) is not { } kind ? null : keys.Find(organizationId, kind);
            if (!service.HasOperatorKey && own is null)
            {
                continue;
            }
            var body = new JsonObject { ["user"] = "help", ["service"] = service.Name,
                ["configuration"] = new JsonObject { ["model"] = service.DefaultModel } };
            if (own is not null)
            {
                body["apikey"] = own.Secret;
            }
            return body;
        }
        return null;
    }
}
