namespace Stoa.Gateway.Budgets;

/// <summary>What a budget limits, in the order in which a call's budgets are checked.</summary>
internal enum BudgetKind
{
    Folder,
    Agent,
    ProviderKey,
    /// <summary>A key of ours, with which clients call.</summary>
    Key,
    Organization,
}

/// <summary>One thing that may have a budget. <paramref name="Subject"/> is its id as text, empty for the organization.</summary>
internal readonly record struct BudgetScope(BudgetKind Kind, string Subject)
{
    public static readonly BudgetScope Organization = new(BudgetKind.Organization, "");

    public static BudgetScope Key(Guid id) => new(BudgetKind.Key, id.ToString());

    public static BudgetScope Folder(string id) => new(BudgetKind.Folder, id);

    public static BudgetScope Agent(string id) => new(BudgetKind.Agent, id);

    public static BudgetScope ProviderKey(string id) => new(BudgetKind.ProviderKey, id);

    /// <summary>As the table and our own API name it.</summary>
    public string Name => Kind switch
    {
        BudgetKind.Folder => "folder",
        BudgetKind.Agent => "agent",
        BudgetKind.ProviderKey => "provider_key",
        BudgetKind.Key => "key",
        BudgetKind.Organization => "organization",
    };

    public static BudgetScope? Parse(string name, string subject) => name switch
    {
        "folder" => Folder(subject),
        "agent" => Agent(subject),
        "provider_key" => ProviderKey(subject),
        "key" => new(BudgetKind.Key, subject),
        "organization" => Organization,
        _ => null,
    };
}
