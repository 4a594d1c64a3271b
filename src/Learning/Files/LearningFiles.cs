using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Storage;

namespace Stoa.Learning.Files;

/// <summary>What people bring in: a row for each file, and its content in the storage under a name that we make.</summary>
internal sealed class LearningFiles(LearningDb db, IStorage storage, IOptions<FileLimits> limits, TimeProvider time)
{
    /// <summary>How long an address of the bucket works.</summary>
    private static readonly TimeSpan AddressLifetime = TimeSpan.FromSeconds(600);

    /// <exception cref="Failure">400: not a type that is taken, or not what it says it is. 413: too large.</exception>
    public async Task<FileRow> AddAsync(int? userId, string contentType, Stream content, CancellationToken ct)
    {
        var type = TypeOf(contentType);
        var row = NewRow(userId, type);
        var max = limits.Value.MaxBytes(type.Class);
        row.Bytes = await storage.WriteAsync(NameOf(row), content, max, ct)
            ?? throw TooLarge(max);
        try
        {
            await RequireBeginningAsync(row, type, ct);
            await SaveAsync(row, ct);
            return row;
        }
        catch
        {
            await storage.DeleteAsync(NameOf(row), CancellationToken.None);
            throw;
        }
    }

    /// <summary>Where a browser may write a new file of this length to; null without a bucket.</summary>
    /// <exception cref="Failure">400: not a type that is taken, or of no length. 413: too large.</exception>
    public async Task<(FileRow Row, StorageAddress Address)?> AddByAddressAsync(
        int? userId, string contentType, long? bytes, CancellationToken ct)
    {
        var type = TypeOf(contentType);
        var row = NewRow(userId, type);
        var max = limits.Value.MaxBytes(type.Class);
        if (bytes > max)
        {
            throw TooLarge(max);
        }
        if (await storage.WriteAddressAsync(NameOf(row), contentType, bytes, AddressLifetime, ct) is not { } address)
        {
            return null;
        }
        if (bytes is null && !limits.Value.AllowsUnboundAddresses)
        {
            throw Refusal.BadRequest("An address is given for a content_length only");
        }
        row.Bytes = bytes;
        await SaveAsync(row, ct);
        return (row, address);
    }

    /// <summary>
    /// A file that the caller may read: his own, and those of people with whom he shares a school, where one of the two runs it or is the
    /// mentor of the other. What somebody brought in before he left is read as before.
    /// </summary>
    public async Task<FileRow?> FindAsync(Standing caller, string uuid, string extension, CancellationToken ct)
    {
        if (!TryParse(uuid, extension, out var id))
        {
            return null;
        }
        var (isOpen, self) = (caller.IsOpen, caller.UserId ?? 0);
        return await db.Files.FromSql($"""
            with belongs as not materialized (
              select user_id, org_id, null::integer as cohort_id, true as is_staff, deleted_at from learning.user_organizations
              union all
              select uc.user_id, co.org_id, uc.cohort_id, uc.role = 'mentor', coalesce(uc.deleted_at, co.deleted_at)
              from learning.user_cohorts uc join learning.cohorts co on co.id = uc.cohort_id)
            select f.* from learning.files f
            where f.id = {id} and f.extension = {extension} and ({isOpen} or f.user_id = {self} or exists (
              select from belongs mine join belongs his on his.org_id = mine.org_id
              where mine.user_id = {self} and mine.deleted_at is null and his.user_id = f.user_id and (mine.is_staff or his.is_staff)
                and (mine.cohort_id is null or his.cohort_id is null or mine.cohort_id = his.cohort_id)))
            """).AsNoTracking().FirstOrDefaultAsync(ct);
    }

    /// <summary>A file of media, by which courses are illustrated: whoever has its name may see it.</summary>
    public async Task<(FileRow Row, FileType Type)?> FindMediaAsync(string name, CancellationToken ct) =>
        name.Split('.', 2) is [var uuid, var extension] && TryParse(uuid, extension, out var id)
        && await db.Files.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id && row.Extension == extension, ct) is { } row
        && FileType.Of(row.ContentType) is { IsMedia: true } type
            ? (row, type) : null;

    /// <summary>Null when the content is not there (yet).</summary>
    public Task<Stream?> OpenAsync(FileRow row, CancellationToken ct) => storage.OpenAsync(NameOf(row), ct);

    /// <summary>
    /// The content of any file, for readers of our own who know that it may be read. Null when there is none of this name.
    /// </summary>
    public Task<Stream?> OpenAsync(string uuid, string extension, CancellationToken ct) => TryParse(uuid, extension, out var id)
        ? storage.OpenAsync($"media/{id}.{extension}", ct)
        : Task.FromResult<Stream?>(null);

    /// <summary>Where a browser may read the file from; null without a bucket.</summary>
    public Task<StorageAddress?> ReadAddressAsync(FileRow row, CancellationToken ct) =>
        storage.ReadAddressAsync(NameOf(row), AddressLifetime, ct);

    /// <summary>Whether files are in a bucket, to which browsers go by themselves.</summary>
    public async Task<bool> HasAddressesAsync(CancellationToken ct) =>
        await storage.ReadAddressAsync("media/any", AddressLifetime, ct) is not null;

    public async Task DeleteAsync(FileRow row, CancellationToken ct)
    {
        await storage.DeleteAsync(NameOf(row), ct);
        await db.Files.Where(file => file.Id == row.Id).ExecuteDeleteAsync(ct);
    }

    private static Failure TooLarge(long max) => new(FailureKind.TooLarge, "file_too_large", $"File is too large: at most {max >> 20} MB");

    private FileRow NewRow(int? userId, FileType type) => new()
    {
        Id = NewId(), UserId = userId, Extension = type.Extension, ContentType = type.ContentType, CreatedAt = time.GetUtcNow(),
    };

    private async Task SaveAsync(FileRow row, CancellationToken ct)
    {
        db.Add(row);
        await db.SaveChangesAsync(ct);
    }

    private async Task RequireBeginningAsync(FileRow row, FileType type, CancellationToken ct)
    {
        if (type.Beginning.IsEmpty)
        {
            return;
        }
        var begin = new byte[type.Beginning.Length];
        await using var content = await OpenAsync(row, ct);
        var length = content is null ? 0 : await content.ReadAtLeastAsync(begin, begin.Length, throwOnEndOfStream: false, ct);
        if (!begin.AsSpan(0, length).SequenceEqual(type.Beginning))
        {
            throw Refusal.BadRequest($"File is no {type.Extension}");
        }
    }

    private static FileType TypeOf(string contentType) =>
        FileType.Of(contentType) ?? throw Refusal.BadRequest("File type is not supported");

    private static bool TryParse(string uuid, string extension, out Guid id) =>
        Guid.TryParseExact(uuid, "D", out id) & FileType.IsExtension(extension);

    private static string NameOf(FileRow row) => $"media/{row.Id}.{row.Extension}";

    // All of it is chance (version 4): whoever has the name of a picture may see it.
    private static Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new(bytes, bigEndian: true);
    }
}
