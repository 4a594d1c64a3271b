using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Messages;

/// <summary>A place in a list by its key and, where it says which, by the row: <c>id$key</c> or a bare key.</summary>
internal sealed record Cursor<TKey>(TKey Key, Guid? Id);

/// <summary>The cursors of lists by date.</summary>
internal static class Cursors
{
    /// <exception cref="Failure">101: it cannot be read.</exception>
    public static Cursor<DateTimeOffset>? ByDate(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var cut = text.IndexOf('$', StringComparison.Ordinal);
        var id = cut < 0 ? null : WireValues.IdOf(text[..cut]);
        return WireValues.InstantOf(text[(cut + 1)..]) is { } date && (cut < 0 || id is not null)
            ? new(date, id)
            : throw FeedbackCode.InvalidCursorValue.Refusal("The cursor cannot be read");
    }

    public static string Text(Guid id, DateTimeOffset date) => $"{id}${WireValues.TextOf(date)}";

    /// <summary>
    /// The page out of what was found. <paramref name="rows"/> are in the order of the list and hold one more than
    /// <paramref name="most"/> where there is more: at the end, or at the start when only <paramref name="before"/> was given.
    /// </summary>
    public static PageResult<T> Page<T>(
        List<T> rows, int most, Cursor<DateTimeOffset>? before, Cursor<DateTimeOffset>? after, bool isDescending, Func<T, string> cursorOf)
    {
        var isBackwards = before is not null && after is null;
        var hasMore = rows.Count > most;
        if (hasMore)
        {
            rows.RemoveAt(isBackwards ? 0 : most);
        }
        var order = isDescending ? "desc" : "asc";
        if (rows.Count == 0)
        {
            return new(after is null ? null : WireValues.TextOf(after.Key), before is null ? null : WireValues.TextOf(before.Key), "created_date", rows, order);
        }
        return new(
            after is not null || (isBackwards && hasMore) ? cursorOf(rows[0]) : null,
            before is not null || (!isBackwards && hasMore) ? cursorOf(rows[^1]) : null,
            "created_date", rows, order);
    }
}
