using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Stoa.Gateway.Providers;

/// <summary>All providers of the settings, and the rule that turns a model name into one of them.</summary>
/// <remarks>
/// An alias of the settings leads to its targets; <c>provider/model</c> to that provider; a bare name to the first provider (in the order
/// of the settings) that lists it. In Development there is always <c>demo/demo</c>.
/// </remarks>
internal sealed class ProviderCatalog : IDisposable
{
    public const int MaxNameLength = 256;

    private const int MaxRemembered = 10_000;

    private readonly Dictionary<string, ModelTarget> aliases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ModelTarget> remembered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ModelTarget>.AlternateLookup<ReadOnlySpan<char>> bySpan;

    public ProviderCatalog(IOptions<GatewayOptions> options, IHostEnvironment environment, TimeProvider time)
    {
        var providers = options.Value.Providers.Select(entry => Make(entry.Key, entry.Value, options.Value, time)).ToList();
        if (environment.IsDevelopment() && providers.TrueForAll(provider => provider.Name != "demo"))
        {
            providers.Add(new("demo", ProviderKind.Find("demo")!, ["demo"], client: null));
        }
        Providers = providers;
        foreach (var (name, alias) in options.Value.Models)
        {
            aliases[name] = Make(name, alias);
        }
        CreatedAt = time.GetUtcNow().ToUnixTimeSeconds();
        bySpan = remembered.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public IReadOnlyList<Provider> Providers { get; }

    /// <summary>Since when these providers are served, in Unix seconds; what lists of models call the creation of a model.</summary>
    public long CreatedAt { get; }

    /// <summary>Every model that can be named, in the order of the settings.</summary>
    public IEnumerable<ModelTarget> Models =>
        Providers.SelectMany(provider => provider.Models.Select(model => new ModelTarget(provider, model))).Concat(aliases.Values);

    /// <summary>Where this name leads, or null when no provider serves it.</summary>
    /// <param name="name">UTF-8, unescaped.</param>
    public ModelTarget? Find(ReadOnlySpan<byte> name)
    {
        // A UTF-8 byte never becomes more than one char.
        if (name.Length is 0 or > MaxNameLength)
        {
            return null;
        }
        Span<char> chars = stackalloc char[MaxNameLength];
        chars = chars[..Encoding.UTF8.GetChars(name, chars)];
        return bySpan.TryGetValue(chars, out var known) ? known : Find(chars.ToString());
    }

    public ModelTarget? Find(string name)
    {
        if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl))
        {
            return null;
        }
        if (remembered.TryGetValue(name, out var known))
        {
            return known;
        }
        var target = aliases.GetValueOrDefault(name) ?? Resolve(name);
        if (target is not null && remembered.Count < MaxRemembered)
        {
            remembered[name] = target;
        }
        return target;
    }

    public void Dispose()
    {
        foreach (var provider in Providers)
        {
            provider.Client?.Dispose();
        }
    }

    private ModelTarget? Resolve(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0
            && Providers.FirstOrDefault(provider => provider.Name.AsSpan()
                .Equals(name.AsSpan(0, slash), StringComparison.OrdinalIgnoreCase)) is { } named
            && slash < name.Length - 1)
        {
            var model = name[(slash + 1)..];
            return named.Serves(model) ? new(named, model) : null;
        }
        return Providers.FirstOrDefault(provider => provider.Models.Contains(name, StringComparer.Ordinal)) is { } listing
            ? new(listing, name)
            : null;
    }

    private ModelTarget Make(string name, ModelOptions options)
    {
        var targets = options.Targets.ConvertAll(target => (
            Target: Resolve(target.Model)
            ?? throw new InvalidOperationException($"Gateway:Models:{name} names the model {target.Model}, which no provider serves"),
            target.Weight));
        return targets[0].Target with { Alias = new(name, options.Strategy == ModelStrategy.Weighted, targets) };
    }

    private static Provider Make(string name, ProviderOptions options, GatewayOptions gateway, TimeProvider time)
    {
        var kind = ProviderKind.Find(options.Kind) ?? throw new InvalidOperationException($"Unknown kind of provider: {options.Kind}");
        var client = kind.Dialect is null ? null : new ProviderClient(name, kind, options, gateway, time);
        return new(
            name, kind, options.Models.Count == 0 && client is null ? ["demo"] : [.. options.Models], client,
            options.HasResponses ?? kind.HasResponses);
    }
}
