/// A queue over one array that keeps its storage: taking from the front moves an index, not the elements.
struct FIFO<Element> {
    private var items: [Element] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { head == items.count }
    var first: Element? { isEmpty ? nil : items[head] }
    var elements: ArraySlice<Element> { items[head...] }

    mutating func append(_ element: Element) {
        items.append(element)
    }

    mutating func prepend(contentsOf elements: [Element]) {
        guard !elements.isEmpty else { return }
        items.replaceSubrange(..<head, with: elements)
        head = 0
    }

    /// What is taken stays in storage until the next compaction; elements are small or owned elsewhere.
    mutating func popFirst() -> Element? {
        guard let element = first else { return nil }
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() -> [Element] {
        defer {
            items.removeAll()
            head = 0
        }
        return Array(elements)
    }

    /// Changes the element at an offset from the front in place.
    mutating func update<Outcome>(at offset: Int, _ change: (inout Element) -> Outcome) -> Outcome {
        change(&items[head + offset])
    }
}
