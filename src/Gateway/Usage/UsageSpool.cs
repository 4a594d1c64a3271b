using Microsoft.Extensions.Options;
using Stoa.Platform;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Usage;

/// <summary>
/// Where the usage of a call is written before its answer ends: a folder of mapped segments that survives a killed process.
/// <see cref="UsageLoader"/> takes it from here into the database. When the folder is full, new calls are refused.
/// </summary>
/// <remarks>
/// A folder belongs to one process at a time and has an id; its segments are numbered and written in order, one at a time. The
/// database keeps, for each id, the segment and offset up to which records are loaded, so an id never begins to count again: a folder
/// without segments gets a new one when it is claimed.
/// A record is safe against the death of the process, not against the loss of the machine (see docs/operations.md).
/// </remarks>
internal sealed class UsageSpool : IDisposable
{
    private const int SegmentBytes = 8 << 20;

    private readonly Lock gate = new();
    private readonly int maxSegments;
    private readonly LinkedList<SpoolSegment> segments = new();
    private volatile int segmentCount;
    private volatile bool isDiskFull;
    private bool isDisposed;
    private SpoolSegment? spare;

    public UsageSpool(IOptions<StoaOptions> stoa, IOptions<GatewayOptions> gateway)
    {
        maxSegments = Math.Max(2, gateway.Value.Spool.MaxMb / (SegmentBytes >> 20));
        Root = Path.Combine(stoa.Value.DataDirectory, "spool");
        Folder = SpoolFolder.ClaimFirst(Root);
        foreach (var number in Folder.SegmentNumbers())
        {
            segments.AddLast(SpoolSegment.Open(Folder.Path, number, SegmentBytes));
        }
        // Always a segment of our own: the position of an older one may lie ahead of what its file still holds after a power cut.
        segments.AddLast(SpoolSegment.Open(Folder.Path, (segments.Last?.Value.Number ?? 0) + 1, SegmentBytes));
        segmentCount = segments.Count;
    }

    /// <summary>The parent of all spool folders: one for each host that shares the data directory.</summary>
    public string Root { get; }

    public SpoolFolder Folder { get; }

    /// <summary>False when another call could not be recorded; the caller is then refused before it costs anything.</summary>
    public bool HasRoom => segmentCount < maxSegments && !isDiskFull;

    /// <summary>Records a call. Returns once a kill of the process can no longer lose it.</summary>
    /// <exception cref="Failure">The spool is beyond its last reserve.</exception>
    public void Append(UsageRecord record)
    {
        Span<byte> buffer = stackalloc byte[UsageRecord.MaxBytes];
        var payload = buffer[..record.Write(buffer)];
        lock (gate)
        {
            if (isDisposed)
            {
                throw Failure.Unavailable("The server is shutting down", TimeSpan.FromSeconds(1));
            }
            if (segments.Last!.Value.TryAppend(payload))
            {
                return;
            }
            // Calls under way when the spool filled up still get their record: the bound is on new calls.
            if (segments.Count > maxSegments * 2)
            {
                throw Failure.Unavailable("Usage cannot be recorded now", TimeSpan.FromSeconds(5));
            }
            var next = spare ?? OpenNext();
            spare = null;
            next.TryAppend(payload);
            segments.AddLast(next);
            segmentCount = segments.Count;
        }
    }

    /// <summary>Makes the next segment ahead of its need, so that a full disk refuses new calls instead of failing answered ones.</summary>
    public void Prepare()
    {
        lock (gate)
        {
            if (isDisposed || spare is not null || segments.Last!.Value.Written < SegmentBytes / 2)
            {
                return;
            }
            try
            {
                spare = OpenNext();
                isDiskFull = false;
            }
            catch (Failure)
            {
                isDiskFull = true;
            }
        }
    }

    /// <summary>The segments that hold records, oldest first; the last is still written to.</summary>
    public SpoolSegment[] Segments()
    {
        lock (gate)
        {
            return [.. segments];
        }
    }

    /// <summary>Drops a segment whose records are all in the database. The one being written to stays.</summary>
    public void Remove(SpoolSegment segment)
    {
        lock (gate)
        {
            if (segments.Last!.Value == segment)
            {
                return;
            }
            segments.Remove(segment);
            segmentCount = segments.Count;
        }
        segment.Dispose();
        File.Delete(segment.Path);
    }

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            foreach (var segment in segments)
            {
                segment.Flush();
                segment.Dispose();
            }
            spare?.Dispose();
            Folder.Dispose();
        }
    }

    private SpoolSegment OpenNext()
    {
        try
        {
            return SpoolSegment.Open(Folder.Path, segments.Last!.Value.Number + 1, SegmentBytes);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            throw Failure.Unavailable("Usage cannot be recorded now", TimeSpan.FromSeconds(5));
        }
    }
}
