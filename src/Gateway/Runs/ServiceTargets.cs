using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Runs;

/// <summary>
/// The way to each service that agents name: the provider of the settings that has its name, else one at the service's own address, which
/// has no key but those that runs bring.
/// </summary>
internal sealed class ServiceTargets(ProviderCatalog catalog, IOptions<GatewayOptions> options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Provider?>> providers = new(StringComparer.Ordinal);

    /// <summary>Null for a service whose wire nobody here speaks.</summary>
    public ModelTarget? Find(ProviderService service, string model) =>
        providers.GetOrAdd(service.Name, _ => new(() => Of(service))).Value is { } provider ? new(provider, model) : null;

    /// <summary>A server that the operator has set up without a key answers without one.</summary>
    public bool NeedsNoKey(ProviderService service) => Configured(service) is not null && !service.HasOperatorKey;

    public void Dispose()
    {
        foreach (var provider in providers.Values.Where(made => made.IsValueCreated).Select(made => made.Value))
        {
            if (provider is not null && !catalog.Providers.Contains(provider))
            {
                provider.Client?.Dispose();
            }
        }
    }

    private Provider? Configured(ProviderService service) =>
        catalog.Providers.FirstOrDefault(provider => string.Equals(provider.Name, service.Name, StringComparison.OrdinalIgnoreCase));

    private Provider? Of(ProviderService service)
    {
        if (Configured(service) is { } configured)
        {
            return configured;
        }
        if (service.Kind is null || ProviderKind.Find(service.Kind) is not { } kind)
        {
            return null;
        }
        var client = kind.Dialect is null
            ? null
            : new ProviderClient(
                service.Name, kind, new ProviderOptions { Kind = kind.Name, BaseUrl = service.BaseUrl }, options.Value, time);
        return new(service.Name, kind, [], client, kind.HasResponses);
    }
}
