using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Folders;

internal sealed class FolderStore(GatewayDb db, TimeProvider time)
{
    public Task<List<Folder>> ListAsync(GtwyCaller caller, CancellationToken ct) =>
        Of(caller).AsNoTracking().OrderBy(folder => folder.CreatedAt).ThenBy(folder => folder.Id).ToListAsync(ct);

    public async Task<Folder> AddAsync(GtwyCaller caller, string name, string kind, JsonObject body, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var folder = new Folder
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            Name = name,
            Kind = kind,
            Document = await ChangedAsync(caller, new() { ["config"] = new JsonObject() }, body, now, ct),
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.Folders.Add(folder);
        return await db.TrySaveAsync(ct) == Saved.Kept ? folder : throw NameTaken();
    }

    public async Task<Folder> UpdateAsync(GtwyCaller caller, string id, string? name, JsonObject body, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Locked, so that what somebody else changes in it at the same time is kept.
        var folder = caller.FolderId is { } own && own != id ? null : await db.Folders
            .FromSql($"select * from gateway.folders where id = {id} and organization_id = {caller.OrganizationId} for update")
            .FirstOrDefaultAsync(ct);
        if (folder is null)
        {
            throw Missing();
        }
        var now = time.GetUtcNow();
        folder.Name = name ?? folder.Name;
        folder.Document = await ChangedAsync(caller, (JsonObject)folder.Document.DeepClone(), body, now, ct);
        folder.UpdatedAt = now;
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            throw NameTaken();
        }
        await transaction.CommitAsync(ct);
        return folder;
    }

    /// <summary>Its agents stay, in no folder.</summary>
    public async Task RemoveAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await Of(caller).Where(folder => folder.Id == id).ExecuteDeleteAsync(ct) == 0)
        {
            throw Missing();
        }
        await db.Agents.Where(agent => agent.OrganizationId == caller.OrganizationId && agent.FolderId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(agent => agent.FolderId, (string?)null), ct);
        await transaction.CommitAsync(ct);
    }

    private IQueryable<Folder> Of(GtwyCaller caller)
    {
        var folders = db.Folders.Where(folder => folder.OrganizationId == caller.OrganizationId);
        return caller.FolderId is { } own ? folders.Where(folder => folder.Id == own) : folders;
    }

    private async Task<JsonObject> ChangedAsync(
        GtwyCaller caller, JsonObject document, JsonObject body, DateTimeOffset now, CancellationToken ct)
    {
        if (body.Object("config") is { } config)
        {
            document["config"] = config.DeepClone();
        }
        if (body.Object("apikey_object_id") is { } keys)
        {
            var ids = keys.Select(key => key.Value?.GetValueKind() == System.Text.Json.JsonValueKind.String
                ? key.Value.GetValue<string>() : "").ToList();
            var known = await db.ProviderKeys.CountAsync(key => ids.Contains(key.Id) && key.OrganizationId == caller.OrganizationId, ct);
            document["apikey_object_id"] = known == ids.Distinct(StringComparer.Ordinal).Count()
                ? keys.DeepClone()
                : throw GtwyFields.Wrong("apikey_object_id", "names a key that is not there");
        }
        SpendingTerms.Of(body, "folder").ApplyTo(document, now, "folder");
        return document.Bounded();
    }

    private static Failure Missing() => Failure.NotFound("Folder");

    private static Failure NameTaken() => Failure.Invalid("name is taken by another folder", "name", "name_taken");
}
