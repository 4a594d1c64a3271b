using Stoa.Platform.Data;

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

/// <summary>
/// One thing that may have a budget. <paramref name="Subject"/> is its id as text, empty for the organization, and for the provider keys of
/// the installation.
/// </summary>
internal readonly record struct BudgetScope(BudgetKind Kind, string Subject)
{
    public static readonly BudgetScope Organization = new(BudgetKind.Organization, "");

    /// <summary>Calls with no key of the organization's own: with the installation's.</summary>
    public static readonly BudgetScope Installation = ProviderKey("");

    public static BudgetScope Key(Guid id) => new(BudgetKind.Key, id.ToString());

    public static BudgetScope Folder(string id) => new(BudgetKind.Folder, id);

    public static BudgetScope Agent(string id) => new(BudgetKind.Agent, id);

    public static BudgetScope ProviderKey(string id) => new(BudgetKind.ProviderKey, id);

    /// <summary>As the table and our own API name the kind.</summary>
    public string Name => EnumNames<BudgetKind>.Write(Kind);
}
