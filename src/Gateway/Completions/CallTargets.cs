using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Where a call goes: the provider of the settings that its model names; else a public one, for who has a key of his own; and where it goes
/// when that one fails.
/// </summary>
internal sealed partial class CallTargets(
    ProviderCatalog providers, OpenProviders open, StoredKeys keys,
    IOptions<GatewayOptions> options, TimeProvider time, ILogger<CallTargets> logger)
{
    private const int MaxTargets = 6;

    /// <exception cref="Stoa.Platform.Http.Failure">The model is unknown to this key, or it may not use it.</exception>
    public ModelTarget Find(ApiKey key, ReadOnlySpan<byte> model, CallWishes? wishes)
    {
        if (wishes?.Service is null && providers.Find(model) is { } known)
        {
            return CallGate.Allow(key, known);
        }
        return Find(key, Encoding.UTF8.GetString(model), wishes);
    }

    /// <summary>What a call that names this model would find; null for nothing.</summary>
    public ModelTarget? Known(ApiKey key, string model) => providers.Find(model) ?? Opened(key, model, wishes: null);

    /// <summary>Null for a call that has one target only.</summary>
    public CallRoute? RouteOf(ApiKey key, ModelTarget target, CallWishes? wishes)
    {
        if (target.Alias is null && wishes?.Fallback is null)
        {
            return null;
        }
        var names = wishes?.Fallback?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        var targets = names.Take(MaxTargets).Select(name => Find(key, name, null)).Prepend(target).SelectMany(Spread);
        return new([.. targets.DistinctBy(one => one.FullName).Take(MaxTargets)]);
    }

    /// <summary>Gives the call the key that its target is to see, and its limits in time where it has some of its own.</summary>
    public void Prepare(GatewayCall call)
    {
        GiveKey(call, call.Wishes);
        call.Timeouts = call.Wishes?.Shorten(options.Value.Timeouts);
        if (call.Route is not null || call.Timeouts is not null)
        {
            var limit = TimeSpan.FromMilliseconds((call.Timeouts ?? options.Value.Timeouts).TotalMs);
            call.GiveUpAt = call.Started + (long)(limit.TotalSeconds * time.TimestampFrequency);
        }
    }

    /// <summary>Whether the call has another target that may answer in the place of the one that failed.</summary>
    public bool MayGoOn(HttpContext context, GatewayCall call, Exception thrown) =>
        call.Route?.MayGoOn(context, call, thrown, time) == true;

    /// <summary>Turns the call to the next target of its route.</summary>
    public void GoOn(HttpContext context, GatewayCall call, Exception thrown)
    {
        var failure = ProviderFaults.Of(thrown);
        var (failed, asked) = (call.Target, call.Target.Provider);
        call.MoveTo(call.Route!.GoOn(failure));
        LogWentOn(
            failed.FullName, failure.Code, (int)time.GetElapsedTime(call.Started).TotalMilliseconds,
            call.EarlierAttempts, call.Target.FullName, call.RequestId);
        // The client's key is for the provider that it named; no other gets to see it.
        if (call.ProviderKey is null || call.Target.Provider != asked)
        {
            GiveKey(call, wishes: null);
        }
        call.Endpoint = ProviderEndpoint.Of(call.Target.Provider, call.Surface.Dialect, context.Request);
    }

    /// <summary>
    /// The key to ask this target with instead of the operator's: the client's own, else the organization's where the operator has none.
    /// </summary>
    public string? KeyOf(ApiKey key, ModelTarget target, CallWishes? wishes) => wishes?.ProviderKey ?? StoredKeyOf(key, target)?.Secret;

    private void GiveKey(GatewayCall call, CallWishes? wishes)
    {
        var stored = wishes?.ProviderKey is null ? StoredKeyOf(call.Key, call.Target) : null;
        (call.ProviderKey, call.ProviderKeyId) = (wishes?.ProviderKey ?? stored?.Secret, stored?.Id ?? "");
    }

    private StoredKey? StoredKeyOf(ApiKey key, ModelTarget target) =>
        target.Provider.Client is { HasKey: false } ? keys.Find(key.OrganizationId, target.Provider.Kind) : null;

    private static IEnumerable<ModelTarget> Spread(ModelTarget target) => target.Alias?.Order() ?? [target];

    private ModelTarget Find(ApiKey key, string model, CallWishes? wishes)
    {
        var name = wishes?.Service is { } service
            && !model.StartsWith($"{service}/", StringComparison.OrdinalIgnoreCase) ? $"{service}/{model}" : model;
        return CallGate.Allow(key, providers.Find(name) ?? Opened(key, name, wishes) ?? throw CallGate.UnknownModel(name));
    }

    /// <summary>
    /// A public provider for who has a key of his own. Where the operator has set its kind up, it is he who says which models there are.
    /// </summary>
    private ModelTarget? Opened(ApiKey key, string name, CallWishes? wishes) =>
        open.Find(name) is { } opened
        && providers.Providers.All(provider => provider.Kind.Name != opened.Provider.Kind.Name)
        && (wishes?.ProviderKey ?? keys.Find(key.OrganizationId, opened.Provider.Kind)?.Secret) is not null
            ? opened
            : null;

    [LoggerMessage(LogLevel.Warning,
        "{Model} failed ({Code}) {Milliseconds} ms after the call came, asked {Attempts} times up to now: {Next} is asked. {RequestId}")]
    private partial void LogWentOn(string model, string code, int milliseconds, int attempts, string next, string requestId);
}
