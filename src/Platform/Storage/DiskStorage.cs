using Microsoft.Extensions.Options;

namespace Stoa.Platform.Storage;

/// <summary>Files below <c>storage</c> of the data directory.</summary>
internal sealed class DiskStorage(IOptions<StoaOptions> options, TimeProvider time) : IStorage
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    // Nobody writes a file for so long.
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private readonly string root = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "storage"));

    // On the same disk, and no file's name: those have no parts that are hidden.
    private readonly string drafts = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "storage", ".drafts"));

    private long sweptAt;

    public async Task<long?> WriteAsync(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(drafts);
        Sweep();
        // Elsewhere first, so that a name never stands for half a file.
        var draft = Path.Combine(drafts, $"{Guid.CreateVersion7(time.GetUtcNow()):n}.tmp");
        try
        {
            if (await CopyAsync(content, draft, maxBytes, ct) is not { } length)
            {
                return null;
            }
            File.Move(draft, path, overwrite: true);
            return length;
        }
        finally
        {
            File.Delete(draft);
        }
    }

    public Task<Stream?> OpenAsync(string name, CancellationToken ct)
    {
        var path = PathOf(name);
        return Task.FromResult<Stream?>(File.Exists(path)
            ? new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BoundedCopy.BufferBytes,
                FileOptions.Asynchronous | FileOptions.SequentialScan)
            : null);
    }

    public Task DeleteAsync(string name, CancellationToken ct)
    {
        // Deleting needs the folder to be there.
        if (PathOf(name) is var path && File.Exists(path))
        {
            File.Delete(path);
        }
        return Task.CompletedTask;
    }

    public Task<StorageAddress?> WriteAddressAsync(string name, string contentType, long? bytes, TimeSpan lifetime, CancellationToken ct) =>
        Task.FromResult<StorageAddress?>(null);

    public Task<StorageAddress?> ReadAddressAsync(string name, TimeSpan lifetime, CancellationToken ct) =>
        Task.FromResult<StorageAddress?>(null);

    private static async Task<long?> CopyAsync(Stream content, string path, long maxBytes, CancellationToken ct)
    {
        await using var file = new FileStream(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BoundedCopy.BufferBytes, FileOptions.Asynchronous);
        var length = await BoundedCopy.RunAsync(content, file, maxBytes, ct);
        if (length is not null)
        {
            file.Flush(flushToDisk: true);
        }
        return length;
    }

    /// <summary>What hosts have left that were killed while they wrote.</summary>
    private void Sweep()
    {
        // The machine's clock: files have its times.
        var now = TimeProvider.System.GetUtcNow();
        var last = Interlocked.Read(ref sweptAt);
        if (now.UtcTicks - last < SweepEvery.Ticks || Interlocked.CompareExchange(ref sweptAt, now.UtcTicks, last) != last)
        {
            return;
        }
        foreach (var draft in new DirectoryInfo(drafts).EnumerateFiles())
        {
            if (draft.LastWriteTimeUtc < (now - Abandoned).UtcDateTime)
            {
                draft.Delete();
            }
        }
    }

    private string PathOf(string name) => Path.Combine(root, StorageName.Checked(name));
}
