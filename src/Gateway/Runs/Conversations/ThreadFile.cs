namespace Stoa.Gateway.Runs.Conversations;

/// <summary>A PDF that was uploaded for a conversation: the questions that follow are asked with it.</summary>
/// <param name="Path">On this host, as it is kept: where clients and providers reach it may change.</param>
internal sealed record ThreadFile(string Path, long Bytes, DateTimeOffset ExpiresAt)
{
    public string Address { get; init; } = Path;

    public static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>Of a conversation; the newest stay.</summary>
    public const int Most = 10;

    /// <summary>Of one question together: providers take no larger requests.</summary>
    public const long MaxBytes = 20 << 20;

    /// <summary>The addresses that a question of this moment is asked with, oldest first: the newest that fit.</summary>
    /// <param name="files">Newest first.</param>
    public static IReadOnlyList<string> Shown(IReadOnlyList<ThreadFile> files, DateTimeOffset now)
    {
        var room = MaxBytes;
        var shown = new List<string>(files.Count);
        foreach (var file in files.Where(file => file.ExpiresAt > now))
        {
            room -= file.Bytes;
            if (room < 0)
            {
                break;
            }
            shown.Add(file.Address);
        }
        shown.Reverse();
        return shown;
    }
}
