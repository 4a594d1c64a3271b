using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Providers;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Pages;

/// <summary>Which models the samples name: what the visitor may use, of the client's own vendor where there is one.</summary>
internal static class SampleModels
{
    /// <summary>For whoever has not signed in: no name of the settings is told.</summary>
    private const string Placeholder = "provider/model";

    public static (string OpenAi, string Anthropic) For(Caller? caller, ProviderCatalog catalog)
    {
        if (caller is null)
        {
            var demo = catalog.Find("demo/demo")?.FullName ?? Placeholder;
            return (demo, demo);
        }
        var usable = catalog.Providers.SelectMany(ServiceRegistry.ModelsOf, (provider, model) => new ModelTarget(provider, model))
            .Where(model => caller.Key is not { } key || CallGate.MayUse(key, model)).ToList();
        return (Pick(Dialect.OpenAi), Pick(Dialect.Anthropic));

        string Pick(Dialect dialect) =>
            (usable.Find(model => model.Provider.Kind.Dialect == dialect) ?? usable.FirstOrDefault())?.FullName ?? Placeholder;
    }
}
