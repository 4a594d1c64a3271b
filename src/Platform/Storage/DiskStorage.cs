using System.Buffers;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Storage;

/// <summary>Files below <c>storage</c> of the data directory.</summary>
internal sealed class DiskStorage(IOptions<StoaOptions> options, TimeProvider time) : IStorage
{
    private const int BufferBytes = 64 << 10;

    private static readonly SearchValues<char> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/");

    private readonly string root = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "storage"));

    public async Task<long?> WriteAsync(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Beside its place, so that a name never stands for half a file.
        var draft = $"{path}.{Guid.CreateVersion7(time.GetUtcNow()):n}.tmp";
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
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan)
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

    private static async Task<long?> CopyAsync(Stream content, string path, long maxBytes, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes, FileOptions.Asynchronous);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0L;
            while (await content.ReadAsync(buffer, ct) is > 0 and var count)
            {
                length += count;
                if (length > maxBytes)
                {
                    return null;
                }
                await file.WriteAsync(buffer.AsMemory(0, count), ct);
            }
            file.Flush(flushToDisk: true);
            return length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private string PathOf(string name) => name.Length is > 0 and <= 200 && !name.AsSpan().ContainsAnyExcept(Letters) && name[0] != '/'
        ? Path.Combine(root, name)
        : throw new ArgumentException("Not the name of a file", nameof(name));
}
