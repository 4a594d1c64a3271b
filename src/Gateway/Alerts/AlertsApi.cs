using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Alerts;

/// <summary>Where an organization wants to hear of errors, missing variables, used-up limits and bad feedback.</summary>
internal static class AlertsApi
{
    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        var alerts = routes.MapGroup("/api/alerting").WithTags("Alerts");
        alerts.MapGet("", ListAsync).WithSummary("List the organization's alerts");
        alerts.MapPost("", CreateAsync).RequireGtwyEditor().WithSummary("Make an alert");
        alerts.MapPut("/{id}", UpdateAsync).RequireGtwyEditor().WithSummary("Change an alert");
        alerts.MapDelete("", DeleteAsync).RequireGtwyEditor().WithSummary("Delete an alert");
    }

    internal static async Task<Ok<AlertList>> ListAsync(GtwyCaller caller, GatewayDb db, DocumentSeal seal, CancellationToken ct)
    {
        var alerts = await db.Alerts.AsNoTracking()
            .Where(alert => alert.OrganizationId == caller.OrganizationId && caller.FolderId == null)
            .OrderBy(alert => alert.Id).ToListAsync(ct);
        return TypedResults.Ok(new AlertList(Success: true, [.. alerts.Select(alert => AlertView(alert, seal, caller))]));
    }

    internal static async Task<Created<AlertMade>> CreateAsync(
        AlertTerms terms, GtwyCaller caller, GatewayDb db, DocumentSeal seal, AddressGuard guard, TimeProvider time, CancellationToken ct)
    {
        RequireOwn(caller);
        Failure.ThrowIfAny(terms.Check(guard, isNew: true));
        var alert = new Alert
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            Name = terms.Name!.Trim(),
            Document = seal.Sealed(terms.Over(new() { ["bridges"] = new JsonArray("all") })),
            CreatedAt = time.GetUtcNow(),
        };
        db.Add(alert);
        await SaveAsync(db, ct);
        return TypedResults.Created((string?)null, new AlertMade(Success: true, AlertView(alert, seal, caller)));
    }

    internal static async Task<Ok<AlertMade>> UpdateAsync(
        string id, AlertTerms terms, GtwyCaller caller, GatewayDb db, DocumentSeal seal, AddressGuard guard, CancellationToken ct)
    {
        RequireOwn(caller);
        Failure.ThrowIfAny(terms.Check(guard, isNew: false));
        var alert = await db.Alerts.FirstOrDefaultAsync(alert => alert.Id == id && alert.OrganizationId == caller.OrganizationId, ct)
            ?? throw Failure.NotFound("Alert");
        alert.Name = terms.Name?.Trim() ?? alert.Name;
        alert.Document = seal.Sealed(terms.Over(seal.Opened(alert.Document)));
        await SaveAsync(db, ct);
        return TypedResults.Ok(new AlertMade(Success: true, AlertView(alert, seal, caller)));
    }

    internal static async Task<Ok<AlertGone>> DeleteAsync(
        [Microsoft.AspNetCore.Mvc.FromBody] AlertChoice choice, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        RequireOwn(caller);
        return await db.Alerts.Where(alert => alert.Id == choice.Id && alert.OrganizationId == caller.OrganizationId)
            .ExecuteDeleteAsync(ct) > 0
            ? TypedResults.Ok(new AlertGone(Success: true, "Alert successfully deleted"))
            : throw Failure.NotFound("Alert");
    }

    /// <summary>Alerts are the organization's: an embedded user, who is confined to a folder, neither sees nor changes them.</summary>
    private static void RequireOwn(GtwyCaller caller)
    {
        caller.RequireEditor();
        if (caller.FolderId is not null)
        {
            throw Failure.Forbidden("You don't have access");
        }
    }

    private static async Task SaveAsync(GatewayDb db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException error) when (error.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw Failure.Invalid("There is an alert of this name already", "name");
        }
    }

    private static JsonObject AlertView(Alert alert, DocumentSeal seal, GtwyCaller caller)
    {
        var view = seal.Opened(alert.Document);
        view["_id"] = alert.Id;
        view["org_id"] = caller.OrgId;
        view["name"] = alert.Name;
        view["createdAt"] = alert.CreatedAt;
        if (caller.Role == GtwyRole.Viewer && view["webhookConfiguration"]?["headers"] is JsonObject headers)
        {
            // They may be credentials of the receiver's.
            view["webhookConfiguration"]!["headers"] =
                new JsonObject(headers.Select(header => KeyValuePair.Create(header.Key, (JsonNode?)"***")));
        }
        return view;
    }

    internal sealed record AlertList(bool Success, IReadOnlyList<JsonObject> Data);

    internal sealed record AlertMade(bool Success, JsonObject Data);

    internal sealed record AlertGone(bool Success, string Message);

    internal sealed record AlertChoice(string? Id);

    /// <param name="Bridges">The agents that it is about; none or <c>all</c> for every one.</param>
    /// <param name="Limit">For <c>metrix_limit_reached</c>: the tokens after which it is told.</param>
    internal sealed record AlertTerms(
        string? Name,
        [property: JsonPropertyName("webhookConfiguration")] JsonObject? WebhookConfiguration,
        [property: JsonPropertyName("alertType")] IReadOnlyList<string>? AlertType,
        IReadOnlyList<string>? Bridges,
        decimal? Limit)
    {
        private const int MaxName = 200;
        private const int MaxAgents = 1_000;

        private static readonly string[] Types =
            ["Error", "Variable", "metrix_limit_reached", "retry_mechanism", "knowledge_base", "thumbsdown", "broadcast_response"];

        public IEnumerable<FieldError> Check(AddressGuard guard, bool isNew)
        {
            if (Name is null ? isNew : string.IsNullOrWhiteSpace(Name) || Name.Length > MaxName || Name.Any(char.IsControl))
            {
                yield return new("name", $"name must have 1 to {MaxName} characters");
            }
            if (!IsReadable(WebhookConfiguration))
            {
                yield return new("webhookConfiguration", "webhookConfiguration names a member twice");
                yield break;
            }
            if (WebhookConfiguration is null ? isNew : !IsAddress(guard, WebhookConfiguration["url"]))
            {
                yield return new("webhookConfiguration.url", "webhookConfiguration.url must be an http or https address that may be asked");
            }
            if (WebhookConfiguration?["headers"] is { } headers && headers is not JsonObject)
            {
                yield return new("webhookConfiguration.headers", "webhookConfiguration.headers must be an object of texts");
            }
            if (AlertType is null ? isNew : AlertType.Count == 0 || AlertType.Any(type => !Types.Contains(type, StringComparer.Ordinal)))
            {
                yield return new("alertType", $"alertType must hold some of {string.Join(", ", Types)}");
            }
            if (Bridges is { } bridges && (bridges.Count > MaxAgents || bridges.Any(bridge => bridge != "all" && !HexId.IsOne(bridge))))
            {
                yield return new("bridges", $"bridges must hold ids of agents or all, at most {MaxAgents}");
            }
            if (Limit < 0)
            {
                yield return new("limit", "limit must not be negative");
            }
        }

        /// <summary>What was given, written over what is there.</summary>
        public JsonObject Over(JsonObject document)
        {
            if (WebhookConfiguration is not null)
            {
                document["webhookConfiguration"] = WebhookConfiguration.DeepClone();
            }
            if (AlertType is not null)
            {
                document["alertType"] = new JsonArray([.. AlertType.Select(type => JsonValue.Create(type))]);
            }
            if (Bridges is { Count: > 0 })
            {
                document["bridges"] = new JsonArray([.. Bridges.Select(bridge => JsonValue.Create(bridge))]);
            }
            if (Limit is not null)
            {
                document["limit"] = Limit;
            }
            return document;
        }

        // An object is taken apart when it is first looked into, and a repeated member is an exception then.
        private static bool IsReadable(JsonNode? node)
        {
            try
            {
                return node is not JsonObject members || members.All(member => IsReadable(member.Value));
            }
            catch (ArgumentException)
            {
                return false;
            }
        }

        private static bool IsAddress(AddressGuard guard, JsonNode? url)
        {
            try
            {
                return url is JsonValue value && value.TryGetValue<string>(out var text) && guard.Check(text) is not null;
            }
            catch (Failure)
            {
                return false;
            }
        }
    }
}
