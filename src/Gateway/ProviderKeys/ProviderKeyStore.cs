using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Platform.Http;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>The keys that an organization brought; an embedded user has those of his folder.</summary>
internal sealed class ProviderKeyStore(GatewayDb db, KeySeal seal, TimeProvider time)
{
    public Task<List<ProviderKey>> ListAsync(GtwyCaller caller, CancellationToken ct) =>
        Of(caller).AsNoTracking().OrderBy(key => key.CreatedAt).ThenBy(key => key.Id).ToListAsync(ct);

    public async Task<ProviderKey> FindAsync(GtwyCaller caller, string id, CancellationToken ct) =>
        (HexId.IsOne(id) ? await Of(caller).AsNoTracking().FirstOrDefaultAsync(key => key.Id == id, ct) : null) ?? throw Missing();

    public async Task<ProviderKey> AddAsync(
        GtwyCaller caller, string name, string service, string secret, string status, SpendingTerms terms, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var key = new ProviderKey
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            FolderId = caller.FolderId,
            Name = name,
            Service = service,
            Secret = seal.Seal(secret),
            Mask = KeySeal.Mask(secret),
            Status = status,
            Document = new() { ["user_id"] = caller.UserId },
            CreatedAt = now,
            UpdatedAt = now,
        };
        terms.ApplyTo(key.Document, now, "apikey");
        db.ProviderKeys.Add(key);
        return await db.TrySaveAsync(ct) == Saved.Kept ? key : throw NameTaken();
    }

    /// <param name="id">Of a key that the caller was found to have.</param>
    /// <param name="secret">Null when it stays as it is.</param>
    public async Task<ProviderKey> ChangeAsync(
        string id, string? name, (string Secret, string Status)? secret, SpendingTerms terms, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Read anew under a lock: while its provider was asked, somebody may have changed it.
        var key = await db.ProviderKeys.FromSql($"select * from gateway.provider_keys where id = {id} for update").FirstOrDefaultAsync(ct)
            ?? throw Missing();
        var now = time.GetUtcNow();
        key.Name = name ?? key.Name;
        if (secret is var (text, status))
        {
            (key.Secret, key.Mask, key.Status) = (seal.Seal(text), KeySeal.Mask(text), status);
        }
        var document = (JsonObject)key.Document.DeepClone();
        terms.ApplyTo(document, now, "apikey");
        key.Document = document;
        key.UpdatedAt = now;
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            throw NameTaken();
        }
        await transaction.CommitAsync(ct);
        return key;
    }

    public Task RemoveAsync(ProviderKey key, CancellationToken ct) => db.ProviderKeys.Where(row => row.Id == key.Id).ExecuteDeleteAsync(ct);

    /// <summary>Which agents and versions name which key.</summary>
    public Task<List<AgentUse>> UsesAsync(Guid organizationId, CancellationToken ct) => db.Database.SqlQuery<AgentUse>($"""
        select named.value as what, agent.id as agent_id, null as version_id, agent.name
        from gateway.agents agent, jsonb_each_text(coalesce(agent.document -> 'apikey_object_id', jsonb_build_object())) named
        where agent.organization_id = {organizationId} and agent.deleted_at is null
        union all
        select named.value, agent.id, version.id, agent.name
        from gateway.agents agent join gateway.agent_versions version on version.agent_id = agent.id and version.deleted_at is null,
          jsonb_each_text(coalesce(version.document -> 'apikey_object_id', jsonb_build_object())) named
        where agent.organization_id = {organizationId} and agent.deleted_at is null
        """).ToListAsync(ct);

    private IQueryable<ProviderKey> Of(GtwyCaller caller)
    {
        var keys = db.ProviderKeys.Where(key => key.OrganizationId == caller.OrganizationId);
        return caller.FolderId is { } folder ? keys.Where(key => key.FolderId == folder) : keys;
    }

    private static Failure Missing() => Failure.NotFound("Apikey");

    private static Failure NameTaken() => Failure.Invalid("name is taken by another key", "name", "name_taken");
}
