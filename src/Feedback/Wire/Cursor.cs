using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>A place in a list: <c>id$key</c>, behind or before that row; or a key alone, with the rows that have it.</summary>
internal sealed record Cursor(Guid? Id, string Key)
{
    /// <exception cref="Failure">101: it is none.</exception>
    public static Cursor? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var cut = text.IndexOf('$', StringComparison.Ordinal);
        return cut < 0 ? new(null, text)
            : WireValues.IdOf(text[..cut]) is { } id ? new(id, text[(cut + 1)..])
            : throw Wrong();
    }

    /// <summary>A condition on both columns, with its values added: beyond the row, or from the key on where no row is named.</summary>
    /// <param name="side"><c>&gt;</c> or <c>&lt;</c>.</param>
    /// <param name="value">The key as the column has it.</param>
    public string Condition(string key, string id, char side, object value, List<object?> values)
    {
        values.Add(value);
        if (Id is not { } row)
        {
            return $" and {key} {side}= ${values.Count}";
        }
        values.Add(row);
        return $" and ({key}, {id}) {side} (${values.Count - 1}, ${values.Count})";
    }

    public static Failure Wrong() => FeedbackCode.InvalidCursorValue.Refusal("The cursor is not valid");
}

/// <summary>
/// What a client wants of a list by cursors: <c>after</c> moves to the end of the order that it asks for, <c>before</c> to its start. One
/// row more than wanted is read, to know whether there is more; with both cursors exactly the rows between.
/// </summary>
internal sealed record CursorPage(Cursor? Before, Cursor? After, int Most, bool Descending)
{
    private bool HasBoth => Before is not null && After is not null;

    /// <summary>Towards the start the rows are read from the end.</summary>
    private bool IsReversed => Before is not null && After is null;

    /// <summary>
    /// The end of a statement: conditions on both columns, order and limit. The parameters are added to <paramref name="values"/>.
    /// </summary>
    /// <param name="keyOf">The cursor's key as the column has it; null when it is none.</param>
    public string Sql(string key, string id, List<object?> values, Func<string, object?> keyOf)
    {
        var sql = Condition(After, Descending ? '<' : '>') + Condition(Before, Descending ? '>' : '<');
        var direction = Descending == IsReversed ? "asc" : "desc";
        values.Add(HasBoth ? Most : Most + 1);
        return $"{sql} order by {key} {direction}, {id} {direction} limit ${values.Count}";

        string Condition(Cursor? cursor, char side) =>
            cursor?.Condition(key, id, side, keyOf(cursor.Key) ?? throw Cursor.Wrong(), values) ?? "";
    }

    /// <param name="rows">As the statement read them.</param>
    public PageResult<T> Of<T>(List<T> rows, string sortKey, Func<T, (Guid Id, string Key)> place)
    {
        var hasMore = !HasBoth && rows.Count > Most;
        var items = rows.Take(Most).ToList();
        if (IsReversed)
        {
            items.Reverse();
        }
        var order = Descending ? "desc" : "asc";
        if (items.Count == 0)
        {
            return new(After?.Key, Before?.Key, sortKey, items, order);
        }
        var (first, last) = (place(items[0]), place(items[^1]));
        return new(
            After is not null || (IsReversed && hasMore) ? $"{first.Id}${first.Key}" : null,
            Before is not null || hasMore ? $"{last.Id}${last.Key}" : null,
            sortKey, items, order);
    }
}
