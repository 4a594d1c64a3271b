using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Webhooks;

/// <summary>An organization's signing secrets, and the log of what was sent to its receivers.</summary>
internal static class WebhooksApi
{
    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/webhooks").WithTags("Webhooks").RequireCaller(MemberRole.Admin);
        group.MapGet("/secrets", ListSecretsAsync).WithSummary("List the secrets that sign webhooks now; never their text");
        group.MapPost("/secrets", RotateAsync)
            .WithSummary("Make a new signing secret, shown once; those before it sign until the overlap ends");
        group.MapDelete("/secrets/{id:guid}", RemoveAsync).WithSummary("Remove a signing secret at once");
        group.MapGet("/deliveries", ListAsync).WithSummary("List deliveries, newest first");
        group.MapGet("/deliveries/{id:guid}", GetAsync).WithSummary("Read a delivery: its body and what the receiver answered");
        group.MapPost("/deliveries/{id:guid}/resend", ResendAsync).WithSummary("Send a delivery again, under the same id");
    }

    internal static async Task<Ok<IReadOnlyList<WebhookSecret>>> ListSecretsAsync(
        Caller caller, WebhookSecrets secrets, CancellationToken ct) =>
        TypedResults.Ok<IReadOnlyList<WebhookSecret>>(await secrets.ListAsync(caller.OrganizationId, ct));

    internal static async Task<Created<NewSecret>> RotateAsync(
        SecretTerms terms, Caller caller, WebhookSecrets secrets, IdentityDb db, CancellationToken ct)
    {
        Failure.ThrowIfAny(terms.Check());
        var (made, secret) = await secrets.RotateAsync(
            db, caller.OrganizationId, terms.Overlap, caller.Actor, ct);
        return TypedResults.Created((string?)null, new NewSecret(made.Id, secret, made.CreatedAt));
    }

    internal static async Task<NoContent> RemoveAsync(Guid id, Caller caller, WebhookSecrets secrets, IdentityDb db, CancellationToken ct)
    {
        await secrets.RemoveAsync(db, caller.OrganizationId, id, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<Listing<WebhookRow>>> ListAsync(
        Caller caller, WebhookStore store, CancellationToken ct, string? state = null, string? kind = null, string? webhookId = null,
        Guid? after = null, int limit = 50)
    {
        var wanted = StateOf(state);
        var (ofKind, ofId) = (QueryValues.Text(kind, "kind"), QueryValues.Text(webhookId, "webhookId"));
        return TypedResults.Ok(await Listing.ReadAsync(
            limit, most => store.ListAsync(caller.OrganizationId, wanted, ofKind, ofId, after, most, ct), row => row.Id));
    }

    internal static async Task<Ok<DeliveryView>> GetAsync(Guid id, Caller caller, WebhookStore store, CancellationToken ct) =>
        TypedResults.Ok(DeliveryView.Of(await store.FindAsync(caller.OrganizationId, id, ct) ?? throw Failure.NotFound("Delivery")));

    internal static async Task<Accepted> ResendAsync(Guid id, Caller caller, WebhookStore store, CancellationToken ct)
    {
        await store.ResendAsync(caller.OrganizationId, id, ct);
        return TypedResults.Accepted((string?)null);
    }

    private static WebhookState? StateOf(string? state) => state switch
    {
        null or "" => null,
        "pending" => WebhookState.Pending,
        "delivered" => WebhookState.Delivered,
        "failed" => WebhookState.Failed,
        _ => throw Failure.Invalid("state must be pending, delivered or failed", "state"),
    };

    /// <summary>A day unless it says otherwise. Who says something else only did not mean this.</summary>
    internal sealed record SecretTerms(int? OverlapMinutes)
    {
        private const int Day = 60 * 24;
        private const int MaxOverlapMinutes = Day * 30;

        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Others { get; set; }

        internal TimeSpan Overlap => TimeSpan.FromMinutes(OverlapMinutes ?? Day);

        public IEnumerable<FieldError> Check()
        {
            if (OverlapMinutes is null && Others is { Count: > 0 } others)
            {
                yield return new(others.Keys.First(), "Only overlap_minutes can be given");
            }
            if (OverlapMinutes is < 0 or > MaxOverlapMinutes)
            {
                yield return new("overlap_minutes", $"overlap_minutes must be between 0 and {MaxOverlapMinutes}");
            }
        }
    }

    internal sealed record NewSecret(Guid Id, string Secret, DateTimeOffset CreatedAt);

    internal sealed record DeliveryView(
        Guid Id, string WebhookId, string Kind, string Url, WebhookState State, int AttemptCount, DateTimeOffset CreatedAt,
        DateTimeOffset UpdatedAt, DateTimeOffset? NextAttemptAt, string Body, IReadOnlyList<WebhookAttempt> Attempts)
    {
        public static DeliveryView Of(WebhookDelivery delivery) => new(
            delivery.Id, delivery.WebhookId, delivery.Kind, delivery.Url, delivery.State, delivery.AttemptCount, delivery.CreatedAt,
            delivery.UpdatedAt, delivery.NextAttemptAt, delivery.Body, delivery.Attempts);
    }
}
