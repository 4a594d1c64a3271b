using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>Providers' keys, on GTWY's wire. A key goes in and never comes out.</summary>
internal static class ProviderKeysApi
{
    private const int MaxKey = 4_096;

    public static void MapProviderKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/apikeys").WithTags("Provider keys");
        keys.MapPost("", AddAsync).RequireGtwyEditor().TakesObject().WithSummary("Store a provider key");
        keys.MapGet("", ListAsync).WithSummary("List keys (masked)");
        keys.MapDelete("", RemoveAsync).RequireGtwyEditor().TakesObject().WithSummary("Delete a key");
        keys.MapPut("/{apikey_id}", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Update a key");
        keys.MapGet("/{apikey_id}", OfAgentAsync).WithSummary("Keys of an agent");
    }

    internal static async Task<Results<Ok<JsonObject>, BadRequest<JsonObject>>> AddAsync(
        GtwyCaller caller, GtwyBody body, ProviderKeyStore store, KeyCheck check,
        ServiceRegistry services, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        caller.RequireEditor();
        var name = body.Members.NeedText("name", 200).Trim();
        var sent = SecretOf(body.Members) ?? throw GtwyFields.Wrong("apikey", "is required");
        // Brought over from the original's store it is encrypted; what it cannot read is a key in the clear.
        var secret = OriginalKeys.Of(options.Value.OriginalKeys)?.Read(sent) ?? sent;
        var service = services.Find(body.Members.NeedText("service", 64)) ?? throw GtwyFields.Wrong("service", "is none of the services");
        var terms = SpendingTerms.Of(body.Members, "apikey");
        try
        {
            var status = await check.RunAsync(service, secret, ct);
            var key = await store.AddAsync(caller, name, service.Name, secret, status, terms, ct);
            return TypedResults.Ok(new JsonObject { ["success"] = true, ["api"] = Show(caller, key, [], null) });
        }
        catch (Failure failure) when (failure.Code.StartsWith("key_", StringComparison.Ordinal))
        {
            return Refused(failure);
        }
    }

    internal static async Task<Ok<JsonObject>> ListAsync(
        GtwyCaller caller, ProviderKeyStore store, AgentStore agents, BudgetStore budgets, CancellationToken ct) =>
        TypedResults.Ok(await ShowAsync(caller, await store.ListAsync(caller, ct), store, agents, budgets, ct));

    internal static async Task<Results<Ok<JsonObject>, BadRequest<JsonObject>>> RemoveAsync(
        GtwyCaller caller, GtwyBody body, ProviderKeyStore store, CancellationToken ct)
    {
        caller.RequireEditor();
        var key = await store.FindAsync(caller, body.Members.NeedText("apikey_object_id", 64), ct);
        var uses = (await store.UsesAsync(caller.OrganizationId, ct)).Where(use => use.What == key.Id).ToList();
        if (uses.Count == 0)
        {
            await store.RemoveAsync(key, ct);
            return TypedResults.Ok(AgentsApi.Success("Apikey deleted successfully"));
        }
        return TypedResults.BadRequest(new JsonObject
        {
            ["success"] = false,
            ["message"] = "Cannot delete API key as it is currently in use",
            ["isInUse"] = true,
            ["usageDetails"] = AgentUse.Show(uses),
        });
    }

    internal static async Task<Results<Ok<JsonObject>, BadRequest<JsonObject>>> UpdateAsync(
        string apikey_id, GtwyCaller caller, GtwyBody body, ProviderKeyStore store,
        KeyCheck check, ServiceRegistry services, CancellationToken ct)
    {
        caller.RequireEditor();
        var key = await store.FindAsync(caller, apikey_id, ct);
        var name = NewAgent.NameOf(body.Members, "name");
        var terms = SpendingTerms.Of(body.Members, "apikey");
        try
        {
            // Clients send back the mask that they were shown when nothing else is meant.
            (string, string)? changed = SecretOf(body.Members) is { } secret && secret != key.Mask
                ? (secret, await check.RunAsync(
                    services.Find(key.Service) ?? throw GtwyFields.Wrong("service", "is none of the services"), secret, ct))
                : null;
            key = await store.ChangeAsync(key.Id, name, changed, terms, ct);
        }
        catch (Failure failure) when (failure.Code.StartsWith("key_", StringComparison.Ordinal))
        {
            return Refused(failure);
        }
        var answer = AgentsApi.Success("Apikey updated successfully");
        answer["apikey"] = key.Mask;
        return TypedResults.Ok(answer);
    }

    // On the wire the segment is an agent here.
    internal static async Task<Ok<JsonObject>> OfAgentAsync(
        string apikey_id, GtwyCaller caller, ProviderKeyStore store, AgentStore agents, BudgetStore budgets, CancellationToken ct)
    {
        _ = await agents.FindAsync(caller, apikey_id, ct) ?? throw AgentStore.Missing();
        var named = (await store.UsesAsync(caller.OrganizationId, ct)).Where(use => use.AgentId == apikey_id).Select(use => use.What)
            .ToHashSet(StringComparer.Ordinal);
        var keys = await store.ListAsync(caller, ct);
        return TypedResults.Ok(await ShowAsync(caller, keys.FindAll(key => named.Contains(key.Id)), store, agents, budgets, ct));
    }

    private static string? SecretOf(JsonObject body) => body.Text("apikey", MaxKey)?.Trim() switch
    {
        null or "" => null,
        { } key when key.Any(letter => letter is < '!' or > '~') => throw GtwyFields.Wrong("apikey", "holds a character that no key has"),
        { } key => key,
    };

    private static BadRequest<JsonObject> Refused(Failure failure) =>
        TypedResults.BadRequest(new JsonObject { ["success"] = false, ["error"] = failure.Message, ["error_code"] = failure.Code });

    private static async Task<JsonObject> ShowAsync(
        GtwyCaller caller, List<ProviderKey> keys, ProviderKeyStore store, AgentStore agents, BudgetStore budgets, CancellationToken ct)
    {
        var uses = (await store.UsesAsync(caller.OrganizationId, ct)).ToLookup(use => use.What, StringComparer.Ordinal);
        var lastUses = (await agents.LastUsesAsync(caller.OrganizationId, ct))
            .ToDictionary(use => use.Id, use => use.At, StringComparer.Ordinal);
        var spent = await budgets.SpentAsync(caller.OrganizationId, BudgetKind.ProviderKey, ct);
        return new()
        {
            ["success"] = true,
            ["result"] = new JsonArray([.. keys.Select(key => WithUsage(
                Show(caller, key, uses[key.Id], lastUses.TryGetValue(key.Id, out var at) ? at : null), key, spent))]),
        };
    }

    /// <summary>Of a key with a limit: what it has spent.</summary>
    private static JsonObject WithUsage(JsonObject shown, ProviderKey key, Dictionary<string, decimal> spent)
    {
        if (spent.TryGetValue(key.Id, out var amount))
        {
            shown["apikey_usage"] = amount;
        }
        return shown;
    }

    private static JsonObject Show(GtwyCaller caller, ProviderKey key, IEnumerable<AgentUse> uses, DateTimeOffset? lastUsed)
    {
        var shown = (JsonObject)key.Document.DeepClone();
        shown["_id"] = key.Id;
        shown["org_id"] = caller.OrgId;
        shown["name"] = key.Name;
        shown["service"] = key.Service;
        shown["apikey"] = key.Mask;
        shown["folder_id"] = key.FolderId;
        shown["status"] = key.Status;
        shown["apikey_usage"] ??= 0;
        shown["last_used"] = lastUsed is null ? null : GtwyFields.InstantText(lastUsed.Value);
        var all = uses.ToList();
        shown["bridge_ids"] =
            new JsonArray([.. all.Select(use => use.AgentId).Distinct(StringComparer.Ordinal).Select(id => JsonValue.Create(id))]);
        shown["version_ids"] = new JsonArray([.. all.Select(use => use.VersionId).OfType<string>().Select(id => JsonValue.Create(id))]);
        return shown;
    }
}
