using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Platform.Http;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>
/// Keys that other modules keep for an organization. They lie among its others, under names of their own, and serve all of its calls.
/// </summary>
internal sealed class BroughtKeys(
    GatewayDb db, ProviderKeyStore store, KeySeal seal, KeyCheck check, ServiceRegistry services, TimeProvider time) : IModelKeys
{
    private const string Prefix = "brought/";
    private const int MaxKey = 4_096;

    public async Task<IReadOnlyList<ModelKey>> ListAsync(Guid organizationId, CancellationToken ct) =>
        [.. (await Of(organizationId).AsNoTracking().OrderBy(key => key.Service).ToListAsync(ct)).Select(Shown)];

    public async Task<ModelKey> PutAsync(Guid organizationId, string service, string key, CancellationToken ct)
    {
        var known = services.Find(service) is { Name: not ProviderService.Demo } found
            ? found
            : throw Failure.Invalid("There is no such provider", "provider");
        var secret = key.Trim();
        if (secret.Length is 0 or > MaxKey || secret.Any(letter => letter is < '!' or > '~'))
        {
            throw Failure.Invalid("This is no key", "key");
        }
        var status = await check.RunAsync(known, secret, ct);
        var named = Prefix + known.Name;
        if (await Of(organizationId).FirstOrDefaultAsync(row => row.Name == named, ct) is { } kept)
        {
            (kept.Secret, kept.Mask, kept.Status, kept.UpdatedAt) = (seal.Seal(secret), KeySeal.Mask(secret), status, time.GetUtcNow());
            await db.SaveChangesAsync(ct);
            return Shown(kept);
        }
        var owner = new GtwyCaller(
            organizationId, organizationId.ToString(), OrgName: null, UserId: null,
            UserName: null, Email: null, GtwyRole.Admin, IsEmbed: false,
            FolderId: null, Key: null);
        return Shown(
            await store.AddAsync(owner, named, known.Name, secret, status, new(Limit: null, Usage: null, Period: null, Start: null), ct));
    }

    public async Task<bool> RemoveAsync(Guid organizationId, string service, CancellationToken ct)
    {
        var named = Prefix + service;
        return await Of(organizationId).Where(key => key.Name == named).ExecuteDeleteAsync(ct) > 0;
    }

    private IQueryable<ProviderKey> Of(Guid organizationId) =>
        db.ProviderKeys.Where(key => key.OrganizationId == organizationId && key.FolderId == null && key.Name.StartsWith(Prefix));

    private static ModelKey Shown(ProviderKey key) => new(key.Service, key.Mask, key.Status, key.UpdatedAt);
}
