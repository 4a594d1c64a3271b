using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Completions;

/// <summary>What an admitted call has taken from its key's limits.</summary>
/// <param name="Requests">Null for a key without such a limit, like <paramref name="Tokens"/>.</param>
/// <param name="ReservedTokens">Taken for prompt and answer as far as they could be guessed; settled when the call ends.</param>
internal readonly record struct Admission(LimitReading? Requests, LimitReading? Tokens, long ReservedTokens);

/// <summary>Decides whether a call may go on: key, model, scope, room for its usage, limits. Touches memory only.</summary>
internal sealed class CallGate(
    KeyRing keys, Guesses guesses, ProviderCatalog providers, ILimits limits, InFlight inFlight, UsageSpool spool,
    IOptions<GatewayOptions> options, TimeProvider time)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>The caller's key, from <c>Authorization: Bearer</c> or <c>x-api-key</c>.</summary>
    /// <exception cref="Failure">There is none, or it opens nothing.</exception>
    public ApiKey Authenticate(HttpRequest request)
    {
        var token = request.BearerTokenSpan() is { IsEmpty: false } bearer ? bearer : request.SingleHeader("x-api-key");
        if (token.IsEmpty)
        {
            // Calls that we make to ourselves come with their key instead of a token.
            return request.HttpContext.Features.Get<ApiKey>() ?? throw new Failure(
                FailureKind.Unauthenticated, "invalid_api_key", "No API key was sent: use Authorization: Bearer <key> or x-api-key");
        }
        return keys.Find(token) ?? throw guesses.Count(
            request.HttpContext, token.ToString(),
            new Failure(FailureKind.Unauthenticated, "invalid_api_key", "The API key is unknown, revoked or expired"));
    }

    /// <summary>The target of a model name, if this key may use it.</summary>
    public ModelTarget Target(ApiKey key, ReadOnlySpan<byte> model) =>
        Allow(key, providers.Find(model) ?? throw UnknownModel(System.Text.Encoding.UTF8.GetString(model)));

    /// <exception cref="Failure">The key's scope leaves the target out.</exception>
    public static ModelTarget Allow(ApiKey key, ModelTarget target) => MayUse(key, target)
        ? target
        : throw new Failure(FailureKind.Forbidden, "permission_denied",
            $"This key may not use the model `{target.ListedName}`", [new("model", "not allowed")]);

    /// <summary>An alias may be used by who may use all of its targets; its name in a key's list stands for their names.</summary>
    public static bool MayUse(ApiKey key, ModelTarget target) => target.Alias is { } alias
        ? alias.Targets.All(one => MayUseProvider(key, one))
            && (key.Models?.Contains(alias.Name) == true || alias.Targets.All(one => MayUseModel(key, one)))
        : MayUseProvider(key, target) && MayUseModel(key, target);

    /// <summary>The same for a model by its name, wherever it is.</summary>
    public static bool MayUse(ApiKey key, string provider, string model) =>
        key.Providers?.Contains(provider) != false
            && (key.Models is null || key.Models.Contains($"{provider}/{model}") || key.Models.Contains(model));

    private static bool MayUseProvider(ApiKey key, ModelTarget target) =>
        key.Providers is null || key.Providers.Contains(target.Provider.Name);

    private static bool MayUseModel(ApiKey key, ModelTarget target) =>
        key.Models is null || key.Models.Contains(target.FullName) || key.Models.Contains(target.Model);

    /// <summary>Takes what the call needs; each admitted call must <see cref="Leave"/>.</summary>
    /// <param name="tokens">Prompt and answer, as far as they can be guessed.</param>
    public async ValueTask<Admission> AdmitAsync(
        HttpContext context, LimitHeaders headers, ApiKey key, long tokens)
    {
        if (!spool.HasRoom)
        {
            throw Failure.Unavailable("Usage cannot be recorded now, so no calls are taken", TimeSpan.FromSeconds(5));
        }
        if (!inFlight.TryEnter(key.OrganizationId, options.Value.MaxInFlightPerOrganization))
        {
            throw Failure.TooMany("Too many calls are under way", TimeSpan.FromSeconds(1));
        }
        try
        {
            return await TakeAsync(context, headers, key, tokens);
        }
        catch
        {
            Leave(key);
            throw;
        }
    }

    public void Leave(ApiKey key) => inFlight.Exit(key.OrganizationId);

    public static Failure UnknownModel(string name) =>
        new(FailureKind.NotFound, "model_not_found",
            $"The model `{(name.Length > 200 ? name[..200] : name)}` does not exist or you do not have access to it; GET /v1/models lists those you may use", [new("model", "unknown")]);

    /// <summary>Takes from the key's limits; of a call that one of them refuses, nothing stays counted.</summary>
    private async ValueTask<Admission> TakeAsync(
        HttpContext context, LimitHeaders headers, ApiKey key, long tokens)
    {
        var ct = context.RequestAborted;
        LimitReading? requests = null, tokenReading = null;
        var reserved = 0L;
        if (key.RequestsPerMinute is { } requestLimit)
        {
            requests = await limits.TakeAsync(new(key.Id, "requests"), requestLimit, Window, 1, ct);
        }
        if (requests is not { Allowed: false } && key.TokensPerMinute is { } tokenLimit)
        {
            // A single call that is larger than the limit may still run when the window is empty.
            reserved = Math.Min(tokens, tokenLimit);
            tokenReading = await limits.TakeAsync(new(key.Id, "tokens"), tokenLimit, Window, reserved, ct);
        }
        if (tokenReading is { Allowed: false } tokensLeft)
        {
            if (requests is { } taken)
            {
                limits.Settle(new(key.Id, "requests"), Window, -1, taken.TakenAt);
            }
            headers.Write(context.Response.Headers, requests, tokenReading, time);
            throw Refusal("token_limit_exceeded", "tokens", tokensLeft);
        }
        if (requests is { Allowed: false } requestsLeft)
        {
            headers.Write(context.Response.Headers, requests, tokenReading, time);
            throw Refusal("rate_limit_exceeded", "requests", requestsLeft);
        }
        return new(requests, tokenReading, reserved);
    }

    private static Failure Refusal(string code, string what, LimitReading reading) =>
        new(FailureKind.TooMany, code,
            $"Rate limit reached: {reading.Limit} {what} per minute for this key") { RetryAfter = reading.RetryAfter };
}
