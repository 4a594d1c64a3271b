namespace Stoa.Tests.Authorization;

/// <summary>What the matrix must know of one operation beyond its document.</summary>
/// <param name="Rule">Who it is for, once more: whoever changes a route's rule says so here too.</param>
/// <param name="Object">
/// Makes a fresh object of the given caller. Its values go into the parameters of the path and, as <c>{0}</c>, into the body.
/// </param>
/// <param name="Body"><c>{unique}</c> becomes a word that was not used before.</param>
internal sealed record MatrixRow(string Rule, MatrixRow.Make? Object = null, string? Body = null)
{
    public delegate Task<string[]> Make(MatrixWorld world, MatrixCaller owner, CancellationToken ct);

    public Whose Whose { get; init; }

    /// <summary>Operators see what belongs to no organization here, which may name anybody.</summary>
    public bool ShowsOperatorsAll { get; init; }

    /// <summary>What somebody who may is answered, where that is not a success.</summary>
    public IReadOnlyList<int> Answers { get; init; } = [];

    /// <summary>What a stranger is answered; an original's wire may say something other than 401.</summary>
    public int Stranger { get; init; } = 401;

    /// <summary>What is answered for something that is not the caller's; an original's wire may say something other than 404.</summary>
    public int Missing { get; init; } = 404;
}

/// <summary>Whose an operation's objects are.</summary>
internal enum Whose
{
    /// <summary>The organization's: all whom the rule lets in may have them.</summary>
    Organizations,

    /// <summary>One person's, and nobody else's.</summary>
    Persons,

    /// <summary>One person's or key's; admins of the organization see them too.</summary>
    PersonsAndAdmins,

    /// <summary>Nobody's: a stranger may have them as well.</summary>
    Everybodys,
}
