namespace Stoa.Platform.Telemetry;

/// <summary>A log file that is renamed to <c>.1</c>, <c>.2</c> … when it is full; the oldest is deleted.</summary>
internal sealed class LogFile : Stream
{
    private readonly string path;
    private readonly long limit;
    private readonly int kept;
    private FileStream file;

    public LogFile(string path, long limit, int kept)
    {
        (this.path, this.limit, this.kept) = (Path.GetFullPath(path), limit, kept);
        Directory.CreateDirectory(Path.GetDirectoryName(this.path)!);
        file = Open();
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (file.Length > 0 && file.Length + buffer.Length > limit)
        {
            Roll();
        }
        file.Write(buffer);
    }

    public override void Flush() => file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Roll()
    {
        file.Dispose();
        if (kept == 0)
        {
            File.Delete(path);
        }
        for (var i = kept; i > 0; i--)
        {
            var from = i == 1 ? path : $"{path}.{i - 1}";
            if (File.Exists(from))
            {
                File.Move(from, $"{path}.{i}", overwrite: true);
            }
        }
        file = Open();
    }

    private FileStream Open() => new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}
