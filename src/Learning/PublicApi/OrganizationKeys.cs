using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Wire;

namespace Stoa.Learning.PublicApi;

/// <summary>
/// Keys with which a school's own programs read what it has: <c>org__{id}__{43 characters}</c>. Only their hash is kept, so they are shown
/// once; several may live beside each other.
/// </summary>
internal sealed class OrganizationKeys(LearningDb db, TimeProvider time)
{
    private const string Separator = "__";
    private const int SecretBytes = 32, Longest = 200;

    private static readonly TimeSpan Precision = TimeSpan.FromMinutes(1);

    public async Task<(ApiKeyRow Row, string Key)> AddAsync(int orgId, string name, int? createdBy, CancellationToken ct)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var key = string.Create(CultureInfo.InvariantCulture, $"org{Separator}{orgId}{Separator}{secret}");
        var row = new ApiKeyRow { OrgId = orgId, Name = name, HashedKey = HashOf(key),
            CreatedBy = createdBy, CreatedAt = time.GetUtcNow() };
        db.Add(row);
        await db.SaveChangesAsync(ct);
        return (row, key);
    }

    public Task<List<ApiKeyRow>> ListAsync(int orgId, Page page, CancellationToken ct) => db.ApiKeys.AsNoTracking()
        .Where(row => row.OrgId == orgId && (page.After == null || row.Id > page.After))
        .OrderBy(row => row.Id).Take(page.Size).ToListAsync(ct);

    public async Task<bool> RevokeAsync(int orgId, int id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await db.ApiKeys.Where(row => row.OrgId == orgId && row.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.DeletedAt, now), ct) > 0;
    }

    /// <summary>
    /// Whose key it is; null for one that is none, or is no more. Found by its hash: no comparison tells how much of it is right.
    /// </summary>
    public async Task<int?> OrganizationOfAsync(string key, CancellationToken ct)
    {
        // What is chance in it may hold the separator.
        if (key.Length > Longest || key.Split(Separator, 3) is not [_, var id, { Length: > 0 }]
            || !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var orgId))
        {
            return null;
        }
        var hash = HashOf(key);
        var found = await db.ApiKeys.AsNoTracking().FirstOrDefaultAsync(row => row.HashedKey == hash && row.OrgId == orgId
            && db.Organizations.Any(organization => organization.Id == row.OrgId), ct);
        if (found is null)
        {
            return null;
        }
        var now = time.GetUtcNow();
        if (found.LastUsedAt is not { } last || now - last >= Precision)
        {
            await db.ApiKeys.Where(row => row.Id == found.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsedAt, now), ct);
        }
        return orgId;
    }

    private static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
