using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Idempotency;

/// <summary>
/// A POST with an <c>Idempotency-Key</c> is done once: whoever sends it again gets the first answer again. Failures that may pass are
/// not kept.
/// </summary>
internal sealed class IdempotentCalls(CallGate gate, IdempotencyStore answers, TimeProvider time)
{
    private const string Header = "Idempotency-Key";
    private const int MaxKey = 255;

    /// <summary>For the POST routes of a group, forms excepted. Requests without the header only pass a look at it.</summary>
    public static void Use(IEndpointConventionBuilder group) => group.Finally(endpoint =>
    {
        if (endpoint.RequestDelegate is not { } next
            || endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault()?.HttpMethods is not ["POST"])
        {
            return;
        }
        var route = (endpoint as RouteEndpointBuilder)?.RoutePattern.RawText ?? "";
        endpoint.RequestDelegate = context => context.Request.Headers.ContainsKey(Header) && !context.Request.HasFormContentType
            ? EventThread.RunOnPool(() => context.RequestServices.GetRequiredService<IdempotentCalls>().RunAsync(context, route, next))
            : next(context);
    });

    private async Task RunAsync(HttpContext context, string route, RequestDelegate next)
    {
        var ct = context.RequestAborted;
        var key = new IdempotencyKey(gate.Authenticate(context.Request).OrganizationId, PathOf(context, route), KeyOf(context.Request));
        using var body = await RequestBody.ReadAsync(context.Request);
        var hash = SHA256.HashData(body.Span);
        var claim = Guid.CreateVersion7(time.GetUtcNow());
        var known = await answers.FindOrClaimAsync(key, hash, claim, ct);
        if (!known.IsClaimed)
        {
            await AnswerAgainAsync(context, known, hash);
            return;
        }
        context.Request.Body = new MemoryStream(body.Span.ToArray(), writable: false);
        await RecordAsync(context, key, claim, next);
    }

    private static async Task AnswerAgainAsync(HttpContext context, KnownAnswer known, byte[] hash)
    {
        if (!known.BodyHash.AsSpan().SequenceEqual(hash))
        {
            throw Failure.Invalid($"The {Header} was used with another request body", Header, "idempotency_key_reuse");
        }
        if (known.Status is not { } status)
        {
            throw new Failure(FailureKind.Conflict, "idempotency_in_progress", $"The request with this {Header} is under way")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = known.ContentType;
        context.Response.Headers["Idempotent-Replayed"] = "true";
        await context.Response.Body.WriteAsync(known.Body, context.RequestAborted);
    }

    private async Task RecordAsync(HttpContext context, IdempotencyKey key, Guid claim, RequestDelegate next)
    {
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var record = new AnswerRecord(context.Response, client);
        context.Features.Set<IHttpResponseBodyFeature>(record);
        var isKept = false;
        try
        {
            await AnswerAsync(context, next);
            if (context.Response.StatusCode is < 500 and not 429 && record.IsWhole
                && (!context.RequestAborted.IsCancellationRequested || record.IsStream
                    || JsonBody.KindOf(record.Written.Span) == JsonValueKind.Object))
            {
                // Also when its client has left meanwhile: that is who will ask again.
                await answers.KeepAsync(
                    key, claim, context.Response.StatusCode, context.Response.ContentType, record.Written, CancellationToken.None);
                isKept = true;
            }
        }
        finally
        {
            context.Features.Set(client);
            if (!isKept)
            {
                await answers.FreeAsync(key, claim);
            }
        }
        await record.SendAsync(context.RequestAborted);
    }

    /// <summary>A refusal is an answer too; it is told here, so that it can be kept.</summary>
    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Failure failure)
            when (!context.Response.HasStarted && DialectOf(context) is { } errors && errors.StatusOf(failure) is < 500 and not 429)
        {
            await errors.WriteAsync(context, failure);
        }
    }

    private static ErrorDialect? DialectOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<ErrorDialect>();

    private static string PathOf(HttpContext context, string route) =>
        route.Contains('{', StringComparison.Ordinal) ? context.Request.Path.ToString() : route;

    private static string KeyOf(HttpRequest request) =>
        request.Headers[Header] is [{ Length: > 0 and <= MaxKey } key] && !key.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? key
            : throw Failure.Invalid($"The {Header} must have 1 to {MaxKey} characters of ASCII", Header, "invalid_idempotency_key");
}
