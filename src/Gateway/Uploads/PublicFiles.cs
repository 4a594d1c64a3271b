using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Stoa.Platform;
using Stoa.Platform.Hosting;
using Stoa.Platform.Storage;

namespace Stoa.Gateway.Uploads;

/// <summary>
/// Pictures and files that pages show: whoever knows the address may read them, and nobody can guess it. In the storage under
/// <c>public/{organization}/{name}</c>.
/// </summary>
internal sealed class PublicFiles(IStorage storage, IOptions<StoaOptions> options, Listeners listeners)
{
    public const long MaxBytes = 50L << 20;
    private const int NameBytes = 18;
    private const string Root = "/image/";

    /// <summary>By the first bytes: what a client or a provider calls it does not count.</summary>
    private static readonly (string Extension, string Type, byte[] Start, int At)[] Kinds =
    [
        ("png", "image/png", [0x89, .. "PNG\r\n"u8], 0),
        ("jpg", "image/jpeg", [0xff, 0xd8, 0xff], 0),
        ("gif", "image/gif", [.. "GIF8"u8], 0),
        ("webp", "image/webp", [.. "WEBP"u8], 8),
        ("pdf", "application/pdf", [.. "%PDF-"u8], 0),
        ("mp4", "video/mp4", [.. "ftyp"u8], 4),
        ("webm", "video/webm", [0x1a, 0x45, 0xdf, 0xa3], 0),
        ("wav", "audio/wav", [.. "WAVE"u8], 8),
        ("mp3", "audio/mpeg", [.. "ID3"u8], 0),
        ("ogg", "audio/ogg", [.. "OggS"u8], 0),
    ];

    /// <summary>Kept when it returns.</summary>
    /// <returns>Its path on this host; null when it is larger than <see cref="MaxBytes"/>.</returns>
    public async Task<string?> SaveAsync(Guid organizationId, Stream content, CancellationToken ct)
    {
        var start = new byte[16];
        var known = await content.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, ct);
        var extension = KindOf(start.AsSpan(0, known)).Extension;
        await using var whole = new Joined(start.AsMemory(0, known), content);
        var name = $"{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes))}.{extension}";
        return await storage.WriteAsync(PathOf(organizationId, name), whole, MaxBytes, ct) is null
            ? null : $"{Root}{organizationId}/{name}";
    }

    /// <summary>For a client elsewhere.</summary>
    public string AddressOf(string path) => (options.Value.PublicUrl ?? listeners.Public[0]).TrimEnd('/') + path;

    /// <summary>Null when there is none.</summary>
    public async Task<(Stream Content, string Type)?> OpenAsync(Guid organizationId, string name, CancellationToken ct)
    {
        if (name.Split('.') is not [{ Length: NameBytes * 2 } id, var extension]
            || !id.All(char.IsAsciiHexDigitLower) || !extension.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }
        return await storage.OpenAsync(PathOf(organizationId, name), ct) is { } content
            ? (content, Array.Find(Kinds, kind => kind.Extension == extension).Type ?? "application/octet-stream")
            : null;
    }

    /// <summary>Whether the addresses lead here from everywhere: without a public one nobody knows that.</summary>
    public bool AreReachable => options.Value.PublicUrl is not null;

    public bool IsOwn(string address) => address.StartsWith(AddressOf(Root), StringComparison.Ordinal);

    /// <summary>What stands at an address of ours; null when it is none, or nothing does.</summary>
    public Task<(Stream Content, string Type)?> OpenAsync(string address, CancellationToken ct) =>
        IsOwn(address) && address[AddressOf(Root).Length..].Split('/') is [var organization, var name]
            && Guid.TryParse(organization, out var id)
            ? OpenAsync(id, name, ct)
            : Task.FromResult<(Stream Content, string Type)?>(null);

    /// <param name="path">That was saved just now.</param>
    public Task DropAsync(string path)
    {
        var parts = path.Split('/');
        return storage.DeleteAsync(PathOf(Guid.Parse(parts[^2]), parts[^1]), CancellationToken.None);
    }

    public static bool IsImage(string path) =>
        Array.Find(Kinds, kind => path.EndsWith("." + kind.Extension, StringComparison.Ordinal)).Type?.StartsWith(
            "image/", StringComparison.Ordinal) == true;

    public static bool IsPdf(string path) => path.EndsWith(".pdf", StringComparison.Ordinal);

    private static (string Extension, string Type) KindOf(ReadOnlySpan<byte> start)
    {
        foreach (var kind in Kinds)
        {
            if (start.Length >= kind.At + kind.Start.Length && start[kind.At..].StartsWith(kind.Start))
            {
                return (kind.Extension, kind.Type);
            }
        }
        return ("bin", "application/octet-stream");
    }

    // As names of the storage once had to be: what was kept then is found by them.
    private static string PathOf(Guid organizationId, string name) => $"public/{organizationId}/{name.Replace('.', '_')}";

    /// <summary>What was read already, and the rest.</summary>
    private sealed class Joined(ReadOnlyMemory<byte> start, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> start = start;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (start.IsEmpty)
            {
                return await rest.ReadAsync(buffer, cancellationToken);
            }
            var count = Math.Min(buffer.Length, start.Length);
            start[..count].CopyTo(buffer);
            start = start[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
