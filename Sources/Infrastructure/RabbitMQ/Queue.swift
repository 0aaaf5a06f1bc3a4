/// First in, first out, at constant cost an element.
struct Queue<Element> {
    private var elements: [Element] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var indices: Range<Int> { 0..<count }
    var first: Element? { isEmpty ? nil : elements[head] }

    subscript(index: Int) -> Element {
        get { elements[head + index] }
        _modify { yield &elements[head + index] }
    }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// Does nothing to an empty queue.
    mutating func removeFirst() {
        guard !isEmpty else { return }
        head += 1
        // Moving what is left once it is half or less of the array costs each element one move on average.
        if head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        head = 0
    }

    mutating func removeAll(where isRemoved: (Element) -> Bool) {
        elements.removeFirst(head)
        head = 0
        elements.removeAll(where: isRemoved)
    }
}
