using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;
using Stoa.Platform.Storage;

namespace Stoa.Gateway.Files;

/// <summary>Files of an organization: a row for each, which says that the content in the storage is whole.</summary>
internal sealed class FileStore(GatewayDb db, IStorage storage, TimeProvider time)
{
    public const long MaxBytes = 200L << 20;

    private const string IdPrefix = "file-";

    public string NewId() => AnswerIds.NewOrdered(IdPrefix, time);

    /// <summary>Content without a row is nobody's; a file that is to be there needs <see cref="AddAsync"/> after it.</summary>
    /// <exception cref="Failure">There is too much of it.</exception>
    public async Task<long> WriteAsync(Guid organizationId, string id, Stream content, long maxBytes, CancellationToken ct) =>
        await storage.WriteAsync(PathOf(organizationId, id), content, maxBytes, ct)
        ?? throw new Failure(FailureKind.TooLarge, "request_too_large", $"A file may have at most {maxBytes >> 20} MB");

    public async Task<StoredFile> AddAsync(
        Guid organizationId, string id, string name, string purpose, long bytes, TimeSpan? lifetime, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var file = new StoredFile
        {
            Id = id, OrganizationId = organizationId, Name = name, Purpose = purpose,
            Bytes = bytes, CreatedAt = now, ExpiresAt = now + lifetime,
        };
        db.Add(file);
        await db.SaveChangesAsync(ct);
        return file;
    }

    public Task<StoredFile?> FindAsync(Guid organizationId, string id, CancellationToken ct) =>
        Live(organizationId).FirstOrDefaultAsync(file => file.Id == id, ct);

    /// <summary>
    /// The files behind <paramref name="after"/>, which may be deleted by now; one more than <paramref name="limit"/> when there are more.
    /// What a batch wrote stands next to where the batch began.
    /// </summary>
    public Task<List<StoredFile>> ListAsync(
        Guid organizationId, string? purpose, string? after, bool newestFirst, int limit, CancellationToken ct)
    {
        var files = Live(organizationId).Where(file => purpose == null || file.Purpose == purpose);
        if (after is not null)
        {
            if (!AnswerIds.IsOrdered(IdPrefix, after))
            {
                throw FileFailures.Missing(after, "after");
            }
            files = newestFirst ? files.Where(file => file.Id.CompareTo(after) < 0) : files.Where(file => file.Id.CompareTo(after) > 0);
        }
        return (newestFirst ? files.OrderByDescending(file => file.Id) : files.OrderBy(file => file.Id)).Take(limit + 1).ToListAsync(ct);
    }

    public Task<Stream?> OpenAsync(StoredFile file, CancellationToken ct) => storage.OpenAsync(PathOf(file.OrganizationId, file.Id), ct);

    public async Task<bool> DeleteAsync(Guid organizationId, string id, CancellationToken ct)
    {
        if (await db.StoredFiles.Where(file => file.OrganizationId == organizationId && file.Id == id).ExecuteDeleteAsync(ct) == 0)
        {
            return false;
        }
        await storage.DeleteAsync(PathOf(organizationId, id), ct);
        return true;
    }

    /// <summary>Content that never became a file.</summary>
    public Task DropAsync(Guid organizationId, string id) => storage.DeleteAsync(PathOf(organizationId, id), CancellationToken.None);

    private IQueryable<StoredFile> Live(Guid organizationId)
    {
        var now = time.GetUtcNow();
        return db.StoredFiles.AsNoTracking()
            .Where(file => file.OrganizationId == organizationId && (file.ExpiresAt == null || file.ExpiresAt > now));
    }

    internal static string PathOf(Guid organizationId, string id) => $"files/{organizationId:n}/{id}";
}
