using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Stoa.Gateway.Providers;

/// <summary>
/// The public providers that the settings do not name, for callers that bring a key of their own. Servers of the operator's own network
/// are not among them: they are there only when he says so.
/// </summary>
internal sealed class OpenProviders(IOptions<GatewayOptions> options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Provider>> providers = new(StringComparer.Ordinal);

    /// <summary>Null when the name does not begin with a public provider.</summary>
    /// <param name="name"><c>provider/model</c></param>
    public ModelTarget? Find(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == name.Length - 1 || name.Length > ProviderCatalog.MaxNameLength || name.Any(char.IsControl)
            || ProviderKind.Find(name[..slash]) is not { IsPublic: true } kind)
        {
            return null;
        }
        return new(providers.GetOrAdd(kind.Name, _ => new(() => Open(kind))).Value, name[(slash + 1)..]);
    }

    public void Dispose()
    {
        foreach (var provider in providers.Values.Where(made => made.IsValueCreated))
        {
            provider.Value.Client?.Dispose();
        }
    }

    private Provider Open(ProviderKind kind) =>
        new(kind.Name, kind, [], new ProviderClient(kind.Name, kind, new ProviderOptions { Kind = kind.Name }, options.Value, time));
}
